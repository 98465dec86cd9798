"""list_api_keys."""

import pytest

from shared.identity.permissions import Role
from shared.kernel.pages import page_token
from tests.api.tenants import problem_of


async def create(tenant, name, role=Role.MAINTAINER, user="ada"):
    body = {"name": name, "scope": "read"}
    return (await tenant.send("POST", "/api-keys", role, user=user, json=body)).json()


async def names(tenant, role=Role.MAINTAINER, user="ada", **query):
    response = await tenant.send("GET", "/api-keys", role, user=user, params=query)
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json()["items"]]


async def test_nothing_is_there_at_first(acme):
    assert await names(acme) == []


async def test_members_see_their_own_and_owners_see_all(acme, globex):
    await create(acme, "ada's")
    await create(acme, "bob's", user="bob")
    await create(globex, "elsewhere")

    assert await names(acme) == ["ada's"]
    assert await names(acme, user="bob") == ["bob's"]
    assert await names(acme, Role.OWNER) == ["ada's", "bob's"]


async def test_pages_hold_everything_once(acme):
    for number in range(5):
        await create(acme, f"key {number}")
    first = (await acme.send("GET", "/api-keys", user="ada", params={"limit": 2})).json()
    token = first["next_page_token"]
    second = (await acme.send("GET", "/api-keys", user="ada", params={"limit": 3, "page_token": token})).json()

    assert [item["name"] for item in first["items"] + second["items"]] == [f"key {number}" for number in range(5)]
    assert "next_page_token" not in second


async def test_page_token_of_another_user_is_refused(acme):
    for number in range(2):
        await create(acme, f"key {number}")
    token = (await acme.send("GET", "/api-keys", user="ada", params={"limit": 1})).json()["next_page_token"]

    response = await acme.send("GET", "/api-keys", user="bob", params={"page_token": token})

    assert problem_of(response) == (422, "invalid-page-token")


async def test_use_shows(acme):
    created = await create(acme, "used")
    assert "last_used_at" not in created["key"]
    await acme.client.get("/me", headers={"authorization": f"Bearer {created['api_key']}"})

    (shown,) = (await acme.send("GET", "/api-keys", user="ada")).json()["items"]

    assert shown["last_used_at"] > shown["created_at"]


async def test_revoked_key_is_not_listed(acme):
    created = await create(acme, "gone")
    await create(acme, "here")
    await acme.send("DELETE", f"/api-keys/{created['key']['id']}", user="ada")

    assert await names(acme) == ["here"]


@pytest.mark.parametrize("made_up", ["!", "#", "~~", "\x7f", "é" * 60])
async def test_place_that_nobody_was_told_of_is_the_start_or_the_end(acme, made_up):
    await create(acme, "a key")
    token = page_token(made_up, acme.id, "api-keys", f"ada.{Role.MAINTAINER.value}")

    assert await names(acme, page_token=token) in ([], ["a key"])
