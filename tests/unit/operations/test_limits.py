"""Limits in the entry layer: every operation has them by its declaration, every answer says how they stand."""

from dataclasses import replace

import httpx
import pytest
from fastapi import Request
from pydantic import BaseModel

from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.kernel.ids import ApiKeyId, TenantId, UserId
from shared.limits.limiter import Limiter
from shared.limits.rules import SECOND_US
from shared.limits.spending import spend_tokens
from shared.operations.capabilities import (
    ACCESS_QUEUE,
    AUDIT,
    CACHE,
    EMBEDDER,
    LIMITS,
    LIMITS_OF_STRANGERS,
    METADATA,
    VECTORS,
)
from shared.operations.declaration import HttpTrigger, RateClass
from shared.operations.http import build_app
from shared.operations.limits import CLASS_LIMITS, source_of
from shared.operations.registry import all_operations
from shared.telemetry.silent import SilentTelemetry
from shared.tenancy.plans import STARTER
from tests.trails import trails_in_memory
from tests.unit.limits.memory import ManualTime, MemoryLimitStore
from tests.unit.operations.samples import sample_operation

UNCOUNTED = {"get_health", "get_readiness"}
"""Load balancers and people on call ask these when something is wrong, which may be the counting itself."""

FIELDS = {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy"}


class Question(BaseModel):
    text: str


async def get_book(caller: Caller) -> dict[str, str]:
    """Get a book."""
    return {"tenant": caller.tenant}


async def write_book(question: Question, caller: Caller) -> dict[str, str]:
    """Write a book."""
    if question.text == "broken":
        raise RuntimeError
    return {"tenant": caller.tenant}


async def ask_book(question: Question, caller: Caller) -> dict[str, str]:
    """Ask a book."""
    spend_tokens(len(question.text.split()))
    if question.text == "broken":
        raise RuntimeError
    return {"tenant": caller.tenant}


async def sign_in() -> None:
    """Sign in."""


async def get_keys() -> dict[str, str]:
    """Get what is public."""
    return {}


async def get_pulse() -> dict[str, str]:
    """Say that it lives."""
    return {"status": "ok"}


OPERATIONS = [
    sample_operation(get_book, HttpTrigger("GET", "/book", Permission.DOCUMENT_READ, RateClass.READ)),
    sample_operation(write_book, HttpTrigger("POST", "/books", Permission.DOCUMENT_WRITE, RateClass.WRITE)),
    sample_operation(
        ask_book, HttpTrigger("POST", "/answers", Permission.SEARCH, RateClass.ANSWER), [VECTORS.search, EMBEDDER]
    ),
    sample_operation(sign_in, HttpTrigger("POST", "/sessions", None, RateClass.SIGN_IN)),
    sample_operation(get_keys, HttpTrigger("GET", "/keys", None, RateClass.READ)),
    sample_operation(get_pulse, HttpTrigger("GET", "/pulse", None, RateClass.NONE)),
]


async def caller_of(request: Request) -> Caller | None:
    user = request.headers.get("x-user")
    if user is None:
        return None
    key = request.headers.get("x-key")
    caller = Caller(
        TenantId(request.headers.get("x-tenant", "acme")),
        UserId(user),
        Role(request.headers.get("x-role", "owner")),
        key_id=ApiKeyId(key) if key else None,
    )
    calls = request.headers.get("x-calls")
    return replace(caller, figures=replace(STARTER, api_calls_per_hour=int(calls))) if calls else caller


@pytest.fixture
def time():
    return ManualTime()


@pytest.fixture
def store(time):
    return MemoryLimitStore(time)


@pytest.fixture
def api(store, time):
    limiter = Limiter(store, SilentTelemetry(), lambda: time() / SECOND_US)
    app = build_app(
        OPERATIONS, lambda operation: object(), caller_of, lambda operation: limiter, trail_of=trails_in_memory()
    )

    def connected(address="192.0.2.7"):
        return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url="https://api.test")

    return connected


ADA, BOB = {"x-user": "ada"}, {"x-user": "bob"}
WRITING = {"json": {"text": "a"}}


async def write(api, **headers):
    return await api().post("/books", headers=ADA | headers, **WRITING)


def test_only_probes_are_not_counted():
    uncounted = {
        operation.id
        for operation in all_operations()
        if isinstance(operation.trigger, HttpTrigger) and operation.trigger.rate_class is RateClass.NONE
    }

    assert uncounted == UNCOUNTED


def test_every_counted_operation_may_reach_both_stores_and_no_other_may():
    for operation in all_operations():
        trigger = operation.trigger
        counts = isinstance(trigger, HttpTrigger) and trigger.rate_class is not RateClass.NONE
        of_strangers = counts and isinstance(trigger, HttpTrigger) and trigger.permission is None
        counted = LIMITS_OF_STRANGERS if of_strangers else LIMITS
        assert ({counted.read, counted.write, CACHE.connect} <= set(operation.capabilities)) == counts
        assert ({LIMITS.read, LIMITS_OF_STRANGERS.read} <= set(operation.capabilities)) is False


def test_what_the_trigger_brings_along_is_named_once():
    operation = sample_operation(
        get_book, HttpTrigger("GET", "/", Permission.SEARCH, RateClass.READ), [METADATA.read, LIMITS.read]
    )

    brought = (LIMITS.write, CACHE.connect, ACCESS_QUEUE.send, AUDIT.append)
    assert operation.capabilities == (METADATA.read, LIMITS.read, *brought)


def test_every_class_has_its_figures():
    assert CLASS_LIMITS.keys() == set(RateClass) - {RateClass.NONE}


async def test_ten_writes_a_minute_per_user_and_then_one_every_six_seconds(api, time):
    assert [(await write(api)).status_code for _ in range(12)] == [200] * 10 + [429] * 2

    refused = await write(api)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "6"
    assert refused.json()["code"] == "rate-limited"
    assert refused.json()["facts"] == {"what": "write", "limit": 10, "reset_s": 6}
    time.pass_s(5.999)
    assert (await write(api)).status_code == 429
    time.pass_s(0.001)
    assert (await write(api)).status_code == 200


@pytest.mark.parametrize("other", [{"x-user": "bob"}, {"x-tenant": "globex"}])
async def test_users_and_organisations_are_counted_apart(api, other):
    for _ in range(11):
        refused = await write(api)

    assert refused.status_code == 429
    assert (await write(api, **other)).status_code == 200


async def test_whoever_makes_keys_does_not_write_more_by_them(api):
    first = [await write(api, **{"x-key": f"key_{number}"}) for number in range(10)]

    assert {answer.status_code for answer in first} == {200}
    assert (await write(api, **{"x-key": "key_10"})).status_code == 429
    assert (await write(api)).status_code == 429


async def test_a_key_asks_beside_its_user(api):
    asked = [await api().post("/answers", headers=ADA, **WRITING) for _ in range(61)]

    assert asked[-1].json()["code"] == "rate-limited"
    assert (await api().post("/answers", headers=ADA | {"x-key": "key_1"}, **WRITING)).status_code == 200


async def test_reading_goes_on_when_writing_is_refused(api):
    for _ in range(11):
        await write(api)

    assert (await api().get("/book", headers=ADA)).status_code == 200


async def test_the_organisations_quota_holds_for_all_of_its_people_together(api):
    few = {"x-calls": "5"}  # and one more after an hour without any
    users = [{"x-user": f"user {number}"} for number in range(7)]

    answers = [await api().get("/book", headers=user | few) for user in users]

    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert answers[-1].json()["code"] == "quota-exhausted"
    facts = answers[-1].json()["facts"]
    assert (facts["what"], facts["limit"]) == ("api_calls_per_hour", 6)
    assert answers[-1].headers["retry-after"] == str(facts["reset_s"]) == answers[-1].headers["ratelimit-reset"]


async def test_fields_tell_the_closest_limit_and_all_policies(api):
    answer = await api().post("/answers", headers=ADA, json={"text": "a"})

    assert {name: answer.headers[name] for name in FIELDS} == {
        "ratelimit-limit": "60",
        "ratelimit-remaining": "59",
        "ratelimit-reset": "1",
        "ratelimit-policy": '60;w=60;comment="answer", 1000;w=3600;comment="api_calls_per_hour", '
        '100;w=60;comment="vector_operations_per_minute", 100000;w=86400;comment="tokens_per_day"',
    }


async def test_every_answer_after_authentication_carries_the_fields(api):
    answers = {
        200: await api().get("/book", headers=ADA),
        403: await api().post("/books", headers=ADA | {"x-role": "viewer"}, **WRITING),
        422: await api().post("/books", headers=ADA, json={"nonsense": 1}),
        500: await api().post("/books", headers=ADA, json={"text": "broken"}),
    }
    for _ in range(11):
        answers[429] = await write(api)

    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers.keys() >= FIELDS


@pytest.mark.parametrize(("method", "path"), [("GET", "/pulse"), ("GET", "/book"), ("GET", "/nowhere")])
async def test_who_is_not_counted_is_told_nothing(api, store, method, path):
    answer = await api().request(method, path)

    assert not answer.headers.keys() & FIELDS
    assert store.asked == 0


async def test_without_permission_is_403_however_much_was_sent(api):
    answers = [await write(api, **{"x-role": "viewer"}) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {403}
    assert answers[-1].headers["ratelimit-remaining"] == "0"


async def test_guesses_are_counted_by_where_they_come_from(api):
    answers = [await api().post("/sessions") for _ in range(21)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1].json()["facts"]["what"] == "sign-in"
    assert (await api("192.0.2.8").post("/sessions")).status_code == 200
    forwarded = {"x-forwarded-for": "198.51.100.1", "forwarded": "for=198.51.100.1"}
    assert (await api().post("/sessions", headers=forwarded)).status_code == 429


async def test_a_network_of_ipv6_is_one_place(api):
    for number in range(20):
        assert (await api(f"2001:db8:1:2::{number:x}").post("/sessions")).status_code == 200

    assert (await api("2001:db8:1:2:ffff::1").post("/sessions")).status_code == 429
    assert (await api("2001:db8:1:3::1").post("/sessions")).status_code == 200


async def test_ipv4_in_the_dress_of_ipv6_is_the_same_place(api):
    for _ in range(20):
        await api("192.0.2.7").post("/sessions")

    assert (await api("::ffff:192.0.2.7").post("/sessions")).status_code == 429
    assert (await api("::ffff:192.0.2.9").post("/sessions")).status_code == 200


async def test_tokens_are_reserved_by_size_and_settled_by_use(api, store):
    before = await usage(api)
    await api().post("/answers", headers=ADA, json={"text": "how long is the notice period"})

    assert before - await usage(api) == 6


async def test_tokens_of_a_failed_request_are_what_it_spent(api):
    before = await usage(api)
    answer = await api().post("/answers", headers=ADA, json={"text": "broken"})
    unfit = await api().post("/answers", headers=ADA, json={"nonsense": "how long is the notice period"})

    assert (answer.status_code, unfit.status_code) == (500, 422)
    assert before - await usage(api) == 1


async def test_whoever_may_not_ask_uses_up_no_tokens_of_those_who_may(api):
    before = await usage(api)
    forbidden = ADA | {"x-role": "operator"}
    answers = [await api().post("/answers", headers=forbidden, json={"text": "x" * 30_000}) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {403}
    assert await usage(api) == before


async def test_a_refused_request_gives_nothing_back_that_it_never_took(api):
    await api().post("/answers", headers=ADA, json={"text": "how long is the notice period"})
    before = await usage(api)
    for headers in (ADA, ADA | {"x-role": "operator"}):
        await api().post("/answers", headers=headers, json={"text": "x" * 200_000})

    assert await usage(api) == before


async def test_a_request_that_could_spend_more_than_is_left_is_refused_before_it_runs(api):
    long = {"text": "x" * 119_980}
    refused = await api().post("/answers", headers=ADA, json={"text": "x" * 120_001})
    admitted = await api().post("/answers", headers=ADA, json=long)

    assert (refused.status_code, refused.json()["facts"]["what"]) == (429, "tokens_per_day")
    assert admitted.status_code == 200


async def test_a_body_of_unknown_size_reserves_something_and_pays_what_it_used(api):
    async def pieces():
        yield b'{"text": '
        yield b'"two words"}'

    before = await usage(api)
    headers = ADA | {"content-type": "application/json"}
    answer = await api().post("/answers", headers=headers, content=pieces())

    assert answer.status_code == 200
    assert before - await usage(api) == 2


async def test_without_a_store_writing_is_refused_and_reading_goes_on_visibly(api, store):
    store.is_down = True

    refused = await write(api)
    reads = [await api().get("/book", headers=ADA) for _ in range(61)]

    assert (refused.status_code, refused.json()["code"]) == (503, "limits-unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert [read.status_code for read in reads] == [200] * 60 + [503]
    assert {read.headers.get("x-tessera-degraded") for read in reads} == {"limits"}
    assert refused.headers["x-tessera-degraded"] == "limits"
    assert reads[0].headers.keys() >= FIELDS


async def test_without_a_store_strangers_read_what_is_public_each_within_their_own_allowance(api, store):
    store.is_down = True

    first = [await api().get("/keys") for _ in range(61)]
    second = await api("198.51.100.7").get("/keys")

    assert [read.status_code for read in first] == [200] * 60 + [503]
    assert second.status_code == 200


async def test_without_a_store_nobody_guesses(api, store):
    store.is_down = True

    assert (await api().post("/sessions")).status_code == 503


async def test_without_a_store_probes_answer(api, store):
    store.is_down = True

    answer = await api().get("/pulse")

    assert answer.status_code == 200
    assert "x-tessera-degraded" not in answer.headers


async def usage(api) -> int:
    """Return the tokens that are left, asked by a request that is refused for its size before anything else."""
    answer = await api().post("/answers", headers=BOB, json={"text": "x" * 200_000})
    assert answer.status_code == 429
    return int(answer.headers["ratelimit-remaining"])


def test_the_gateway_says_where_a_request_comes_from():
    event = {"requestContext": {"http": {"sourceIp": "198.51.100.4"}}}
    scope = {"type": "http", "headers": [(b"x-forwarded-for", b"203.0.113.9")], "client": ("127.0.0.1", 1)}

    assert source_of(Request({**scope, "aws.event": event})) == "198.51.100.4"
    assert source_of(Request(scope)) == "127.0.0.1"
    assert source_of(Request({**scope, "client": None})) == "unknown"
