"""refresh_session."""

import asyncio
import time

import jwt
import pytest

from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.identity.permissions import Role
from shared.kernel.ids import TenantId
from shared.operations.capabilities import IDENTITY
from shared.tenancy.ports import Remove
from tests.api.tenants import body_without_request_id, problem_of
from tests.records import transactions_of

ENDED = (401, "invalid-refresh-token")


async def test_refresh_token_brings_an_access_token_and_its_successor(ada, acme):
    ada.joins(acme.id)
    first = await ada.session()

    second = (await ada.refresh(first["refresh_token"])).json()
    third = (await ada.refresh(second["refresh_token"])).json()

    assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
    claims = [jwt.decode(tokens["access_token"], options={"verify_signature": False}) for tokens in (first, third)]
    assert claims[0]["sid"] == claims[1]["sid"]
    assert claims[0]["jti"] != claims[1]["jti"]
    assert (await ada.send("GET", "/knowledge-bases", third["access_token"])).status_code == 200


async def test_a_hundred_refreshes_at_once_have_one_successor(ada, acme):
    ada.joins(acme.id)
    first = await ada.session()

    started = time.perf_counter()
    answers = await asyncio.gather(*(ada.refresh(first["refresh_token"]) for _ in range(100)))
    took_s = time.perf_counter() - started

    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json()["refresh_token"] for answer in answers}
    print(f"100 refreshes at once: {len(successors)} successor, {took_s:.2f} s")
    assert len(successors) == 1
    assert (await ada.refresh(successors.pop())).status_code == 200


async def test_older_token_ends_the_session_for_everybody_and_owners_read_of_it(ada, acme):
    ada.joins(acme.id, Role.OWNER)
    first = await ada.session()
    second = (await ada.refresh(first["refresh_token"])).json()
    third = (await ada.refresh(second["refresh_token"])).json()

    reused = await ada.refresh(first["refresh_token"])
    holders = [await ada.refresh(tokens["refresh_token"]) for tokens in (third, second, first)]

    assert [problem_of(answer) for answer in (reused, *holders)] == [ENDED] * 4
    renewed = await ada.session()
    events = (await ada.send("GET", "/security-events", renewed["access_token"])).json()["items"]
    assert [(event["kind"], event["user"]) for event in events] == [("refresh-token-reused", ada.user_id)]


async def test_other_sessions_go_on_when_one_ends(ada, acme):
    ada.joins(acme.id)
    one, other = await ada.session(), await ada.session()
    second = (await ada.refresh(one["refresh_token"])).json()
    await ada.refresh(second["refresh_token"])

    await ada.refresh(one["refresh_token"])

    assert (await ada.refresh(other["refresh_token"])).status_code == 200


async def test_made_up_token_of_a_real_session_ends_nothing(ada, acme):
    ada.joins(acme.id)
    tokens = await ada.session()
    path, _, opens = tokens["refresh_token"].rpartition(".")

    made_up = [f"{path}.{'A' * len(opens)}", f"{path}.{opens[:21]}{'A' if opens[21] != 'A' else 'B'}{opens[22:]}"]

    assert [problem_of(await ada.refresh(token)) for token in made_up] == [ENDED, ENDED]
    assert (await ada.refresh(tokens["refresh_token"])).status_code == 200


async def test_new_role_stands_in_the_next_token(ada, acme):
    ada.joins(acme.id, Role.VIEWER)
    tokens = await ada.session()
    ada.joins(acme.id, Role.MAINTAINER)

    refreshed = (await ada.refresh(tokens["refresh_token"])).json()

    assert refreshed["role"] == "maintainer"


async def test_whoever_is_no_member_any_more_gets_nothing(ada, acme, cloud):
    ada.joins(acme.id)
    tokens = await ada.session()
    records = DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY))
    member = await records.member(TenantId(acme.id), ada.user_id)
    assert member is not None
    await records.commit(TenantId(acme.id), [Remove(member)])

    refused = await ada.refresh(tokens["refresh_token"])
    ada.people.known.clear()
    ada.joins(acme.id)
    again = await ada.refresh(tokens["refresh_token"])

    assert problem_of(refused) == problem_of(again) == ENDED


async def test_token_of_another_organisation_is_none(ada, acme, globex):
    ada.joins(acme.id).joins(globex.id)
    tokens = await ada.session(tenant=acme.id)

    moved = await ada.refresh(tokens["refresh_token"].replace(acme.id, globex.id))

    assert problem_of(moved) == ENDED


@pytest.mark.parametrize(
    "token",
    [
        "trt_",
        "trt_acme",
        "x" * 512,
        "trt_acme.0.0.0",
        "tsk_acme.00000000000000000000000000.x",
        "trt_a#b.0.0.0",
        "\u0000",
    ],
)
async def test_whatever_is_no_token_is_answered_alike(ada, acme, token):
    ada.joins(acme.id)
    tokens = await ada.session()
    ended = await ada.refresh(tokens["refresh_token"][:-1] + ("A" if tokens["refresh_token"][-1] != "A" else "B"))

    answer = await ada.refresh(token)

    assert problem_of(answer) == ENDED
    assert body_without_request_id(answer) == body_without_request_id(ended)


@pytest.mark.parametrize("body", [{}, {"refresh_token": ""}, {"refresh_token": "x" * 513}, {"refresh_token": None}, []])
async def test_unfit_body_is_refused(ada, body):
    assert problem_of(await ada.post("/sessions/refresh", body)) == (422, "invalid-request")
