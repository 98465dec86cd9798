"""change_password."""

import asyncio
from dataclasses import replace

import pytest

from shared.identity.permissions import Role
from tests.api.people import PASSWORD
from tests.api.tenants import problem_of

NEW = "granite teapot under ferns"


async def change(person, access_token, present=PASSWORD, new=NEW):
    return await person.post(
        "/account/password", {"present_password": present, "new_password": new}, access_token=access_token
    )


async def test_new_password_counts_at_once_and_ends_all_sessions_everywhere(ada, acme, globex):
    ada.joins(acme.id, Role.OWNER).joins(globex.id)
    here, elsewhere = await ada.session(tenant=acme.id), await ada.session(tenant=globex.id)

    response = await change(ada, here["access_token"])

    assert (response.status_code, response.content) == (204, b"")
    for tokens in (here, elsewhere):
        assert problem_of(await ada.refresh(tokens["refresh_token"])) == (401, "invalid-refresh-token")
    assert problem_of(await ada.sign_in(tenant=acme.id)) == (401, "wrong-credentials")
    renewed = await replace(ada, password=NEW).session(tenant=acme.id)
    events = (await ada.send("GET", "/security-events", renewed["access_token"])).json()["items"]
    assert [event["kind"] for event in events] == ["sign-in-failed", "password-changed"]


async def test_wrong_present_password_changes_nothing_and_counts_as_a_guess(ada, acme):
    ada.joins(acme.id)
    tokens = await ada.session()

    refusals = [problem_of(await change(ada, tokens["access_token"], present="a wrong one")) for _ in range(6)]

    assert refusals == [(403, "wrong-password")] * 5 + [(429, "sign-in-locked")]
    assert (await ada.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize("weak", ["brief", "x" * 129, "Password1234!", "123456789012345"])
async def test_weak_password_is_refused(ada, acme, weak):
    ada.joins(acme.id)
    tokens = await ada.session()

    refused = await change(ada, tokens["access_token"], new=weak)

    assert problem_of(refused) == (422, "weak-password")
    assert weak not in refused.text
    assert (await ada.sign_in()).status_code == 200


async def test_address_as_password_is_refused(ada, acme):
    ada.joins(acme.id)
    tokens = await ada.session()

    assert problem_of(await change(ada, tokens["access_token"], new=f"{ada.email} 7!")) == (422, "weak-password")


async def test_of_two_changes_at_once_one_holds(ada, acme):
    ada.joins(acme.id)
    token = (await ada.session())["access_token"]
    wanted = ["granite teapot under ferns", "copper kettle beside moss"]

    answers = await asyncio.gather(*(change(ada, token, new=password) for password in wanted))

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(204) == 1
    held = wanted[statuses.index(204)]
    assert (await replace(ada, password=held).sign_in()).status_code == 200


async def test_sign_in_with_the_old_password_never_outlives_its_change(ada, acme):
    ada.joins(acme.id)
    token = (await ada.session())["access_token"]

    *signed_in, changed = await asyncio.gather(*(ada.sign_in() for _ in range(4)), change(ada, token))

    assert changed.status_code == 204
    sessions = [answer.json() for answer in signed_in if answer.status_code == 200]
    refused = [problem_of(await ada.refresh(tokens["refresh_token"])) for tokens in sessions]
    assert refused == [(401, "invalid-refresh-token")] * len(sessions)


@pytest.mark.parametrize(
    "body", [{}, {"present_password": PASSWORD}, {"present_password": PASSWORD, "new_password": NEW, "user": "bob"}]
)
async def test_unfit_body_is_refused(ada, acme, body):
    ada.joins(acme.id)
    token = (await ada.session())["access_token"]

    assert problem_of(await ada.post("/account/password", body, token)) == (422, "invalid-request")


async def test_nobody_changes_nothing(ada):
    assert problem_of(await change(ada, None)) == (401, "unauthenticated")


async def test_access_tokens_from_before_are_refused(ada, acme):
    ada.joins(acme.id)
    used, unused = await ada.session(), await ada.session()

    assert (await change(ada, used["access_token"])).status_code == 204

    refused = await ada.send("GET", "/knowledge-bases", unused["access_token"])
    assert problem_of(refused) == (401, "unauthenticated")
