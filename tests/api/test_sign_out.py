"""sign_out."""

from datetime import timedelta

import pytest

from tests.api.tenants import problem_of

ENDED = (401, "invalid-refresh-token")


async def test_session_ends_with_the_token_of_the_moment_or_an_older_one(ada, acme):
    ada.joins(acme.id)
    current, older = await ada.session(), await ada.session()
    successor = (await ada.refresh(older["refresh_token"])).json()

    for token in (current["refresh_token"], older["refresh_token"]):
        response = await ada.post("/sessions/end", {"refresh_token": token})
        assert (response.status_code, response.content) == (204, b"")

    for tokens in (current, successor):
        assert problem_of(await ada.refresh(tokens["refresh_token"])) == ENDED


async def test_other_sessions_go_on(ada, acme):
    ada.joins(acme.id)
    one, other = await ada.session(), await ada.session()

    await ada.post("/sessions/end", {"refresh_token": one["refresh_token"]})

    assert (await ada.refresh(other["refresh_token"])).status_code == 200


async def test_ending_twice_is_like_ending_once(ada, acme):
    ada.joins(acme.id)
    tokens = await ada.session()

    answers = [await ada.post("/sessions/end", {"refresh_token": tokens["refresh_token"]}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]


@pytest.mark.parametrize("change", ["made up", "not a token"])
async def test_token_that_is_no_good_ends_nothing_and_is_answered_alike(ada, acme, change):
    ada.joins(acme.id)
    tokens = await ada.session()
    path, _, opens = tokens["refresh_token"].rpartition(".")
    token = f"{path}.{'A' * len(opens)}" if change == "made up" else change

    response = await ada.post("/sessions/end", {"refresh_token": token})

    assert response.status_code == 204
    assert (await ada.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize("body", [{}, {"refresh_token": ""}, {"refresh_token": "x", "all": True}])
async def test_unfit_body_is_refused(ada, body):
    assert problem_of(await ada.post("/sessions/end", body)) == (422, "invalid-request")


async def test_access_tokens_of_the_session_are_refused_half_a_minute_later(ada, acme, clock):
    ada.joins(acme.id)
    ended, other = await ada.session(), await ada.session()
    for tokens in (ended, other):
        assert (await ada.send("GET", "/knowledge-bases", tokens["access_token"])).status_code == 200

    await ada.post("/sessions/end", {"refresh_token": ended["refresh_token"]})

    clock.ahead = timedelta(seconds=30)
    refused = await ada.send("GET", "/knowledge-bases", ended["access_token"])
    assert problem_of(refused) == (401, "unauthenticated")
    assert (await ada.send("GET", "/knowledge-bases", other["access_token"])).status_code == 200
