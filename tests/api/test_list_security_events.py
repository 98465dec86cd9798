"""list_security_events."""

import pytest

from shared.identity.permissions import Role
from shared.kernel.pages import page_token
from tests.api.tenants import problem_of


@pytest.fixture
async def owner(ada, acme):
    """An owner of an organisation in which three wrong passwords were tried."""
    ada.joins(acme.id, Role.OWNER)
    token = (await ada.session())["access_token"]
    for number in range(3):
        await ada.sign_in(password=f"wrong {number}")
    return lambda **query: ada.send("GET", "/security-events", token, params=query)


async def test_owner_reads_what_happened_newest_first(owner, ada):
    response = await owner()

    items = response.json()["items"]
    assert [(event["kind"], event["user"]) for event in items] == [("sign-in-failed", ada.user_id)] * 3
    assert [event["facts"]["guesses"] for event in items] == ["3", "2", "1"]
    assert [event["at"] for event in items] == sorted((event["at"] for event in items), reverse=True)
    assert "by" not in items[0]


async def test_list_goes_on_page_by_page(owner):
    first = (await owner(limit=2)).json()
    second = (await owner(limit=2, page_token=first["next_page_token"])).json()

    assert [event["facts"]["guesses"] for event in first["items"] + second["items"]] == ["3", "2", "1"]
    assert "next_page_token" not in second


async def test_events_of_other_organisations_are_not_seen(owner, acme, globex):
    first = (await owner(limit=1)).json()

    theirs = await globex.send("GET", "/security-events", Role.OWNER)
    token = {"page_token": first["next_page_token"]}
    moved = await globex.send("GET", "/security-events", Role.OWNER, params=token)

    assert theirs.json()["items"] == []
    assert problem_of(moved) == (422, "invalid-page-token")


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.REVIEWER, Role.VIEWER])
async def test_others_do_not_read_them(acme, role):
    assert problem_of(await acme.send("GET", "/security-events", role)) == (403, "forbidden")


async def test_keys_that_come_and_go_are_told_of(acme):
    created = await acme.send("POST", "/api-keys", json={"name": "machine", "scope": "read"}, user="ada")
    key = created.json()["key"]["id"]
    await acme.send("DELETE", f"/api-keys/{key}", Role.OWNER, user="bob")

    items = (await acme.send("GET", "/security-events", Role.OWNER, user="bob")).json()["items"]

    # A user of these tests has one account per role.
    told = [(event["kind"], event["user"].split(".")[0], event["by"].split(".")[0]) for event in items]
    assert told == [("api-key-revoked", "ada", "bob"), ("api-key-created", "ada", "ada")]
    assert {event["facts"]["key"] for event in items} == {key}


@pytest.mark.parametrize("made_up", ["!", "#", "~~", "\x7f", "é" * 60])
async def test_place_that_nobody_was_told_of_is_the_start_or_the_end(owner, acme, made_up):
    response = await owner(page_token=page_token(made_up, acme.id, "security-events"))

    assert response.status_code == 200
    assert len(response.json()["items"]) in (0, 3)
