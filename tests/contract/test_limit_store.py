"""Every store of limits keeps the port's promises: Redis on a real server, DynamoDB on the emulator."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from redis import Redis

from localstack import emulator
from shared.adapters.dynamodb import limit_store
from shared.adapters.dynamodb.limit_store import DynamoLimitStore
from shared.adapters.dynamodb.limits_keys import bucket_key
from shared.adapters.redis.client import Connection
from shared.adapters.redis.limit_store import RedisLimitStore
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId
from shared.limits.admission import Demand, Settlement
from shared.limits.errors import LimitsCrowdedError, LimitsUnavailableError
from shared.limits.ports import LimitStore
from shared.limits.rules import SECOND_US, Bucket, Window
from shared.operations.capabilities import LIMITS
from shared.operations.tenants import within
from tests.contract import limit_claims
from tests.ingestion.cloud import make_table
from tests.kept_ports import kept_port
from tests.nobody import NOBODY
from tests.own_folders import own_server
from tests.redis_server import running_redis, start_redis

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.real_server

SLOW = Bucket("write", 5, 3600 * SECOND_US)
QUICK = Bucket("read", 2, 500_000)
CALLS = Window("calls", 10, limit_claims.DECADE_S)


class SkewedClock:
    """A machine whose clock is wrong."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


@pytest.fixture(scope="module")
def redis_address() -> Iterator[str]:
    with running_redis() as server:
        yield server.address


@pytest.fixture(scope="module")
def dynamodb_address() -> Iterator[str]:
    with own_server("emulator", lambda folder: emulator.start(folder, 0)) as running:
        client = limit_claims.dynamodb_at(running.endpoint)
        make_table(client, LIMITS, limit_claims.TABLE)
        client.close()
        yield running.endpoint


@pytest.fixture(scope="module")
def dynamodb(dynamodb_address: str) -> Iterator["DynamoDBClient"]:
    client = limit_claims.dynamodb_at(dynamodb_address)
    yield client
    client.close()


@pytest.fixture(params=["redis", "dynamodb"])
def address(request: pytest.FixtureRequest) -> str:
    """Where the store is; its kind is told by the address."""
    found: str = request.getfixturevalue(f"{request.param}_address")
    return found


@pytest.fixture
def store(address: str) -> Iterator[LimitStore]:
    with limit_claims.opened_store(address) as opened:
        yield opened


@pytest.fixture
def acme() -> TenantId:
    return TenantId(f"acme-{uuid4().hex}")


@pytest.fixture
def globex() -> TenantId:
    return TenantId(f"globex-{uuid4().hex}")


async def test_nothing_demanded_is_admitted(store, acme):
    assert (await store.admit(acme, [])).is_admitted


async def test_a_bucket_gives_what_it_holds_and_no_more(store, acme):
    admissions = [await store.admit(acme, [Demand(SLOW, "ada")]) for _ in range(7)]

    assert [admission.is_admitted for admission in admissions] == [True] * 5 + [False] * 2
    assert [admission.standings[0].remaining for admission in admissions] == [4, 3, 2, 1, 0, 0, 0]
    refusal = admissions[-1].refusal
    assert refusal is not None
    assert 3590 * SECOND_US < refusal.wait_us <= 3600 * SECOND_US


async def test_a_refused_request_is_admitted_after_the_wait_it_was_told(store, acme):
    while (refused := await store.admit(acme, [Demand(QUICK)])).refusal is None:
        pass  # on a busy machine some comes back while the bucket is emptied

    await asyncio.sleep(refused.refusal.wait_us / SECOND_US + 0.002)

    assert (await store.admit(acme, [Demand(QUICK)])).is_admitted


async def test_all_of_a_request_or_nothing(store, acme):
    for _ in range(5):
        await store.admit(acme, [Demand(SLOW, "ada")])

    refused = await store.admit(acme, [Demand(CALLS), Demand(SLOW, "ada"), Demand(QUICK, "ada")])
    standing, bucket, quick = (await store.admit(acme, [Demand(CALLS, cost=0), Demand(SLOW, "ada", 0),
                                                        Demand(QUICK, "ada", 0)])).standings  # fmt: skip

    assert [found.wait_us > 0 for found in refused.standings] == [False, True, False]
    assert (standing.remaining, bucket.remaining, quick.remaining) == (12, 0, 2)


async def test_tenants_subjects_and_names_are_counted_apart(store, acme, globex):
    for tenant, limit, subject in (
        (acme, SLOW, "ada"), (acme, SLOW, "bob"), (globex, SLOW, "ada"), (acme, Bucket("other", 5, 10**9), "ada"),
        (TenantId(f"{acme}}}x"), SLOW, "ada"), (TenantId(f"{acme}:bucket"), SLOW, "ada"),
    ):  # fmt: skip
        assert (await store.admit(tenant, [Demand(limit, subject, 5)])).is_admitted


async def test_asking_how_limits_stand_takes_nothing(store, acme):
    for _ in range(3):
        asked = await store.admit(acme, [Demand(CALLS, cost=0), Demand(SLOW, cost=0)])

    assert [standing.remaining for standing in asked.standings] == [12, 5]


async def test_a_window_counts_up_to_its_limit(store, acme):
    window = Window("tokens", 100, limit_claims.DECADE_S)
    assert (await store.admit(acme, [Demand(window, cost=120)])).is_admitted  # 100 and a burst

    refused = (await store.admit(acme, [Demand(window)])).refusal

    assert refused is not None
    assert (refused.allowed, refused.remaining) == (120, 0)
    assert 0 < refused.wait_us == refused.reset_us <= limit_claims.DECADE_S * SECOND_US


async def test_no_burst_after_a_window_that_was_not_quiet(store, acme):
    window = Window("second", 10, 1)
    before = after = -1
    while before < 0 or after != before + 1:  # a busy machine may miss a second
        await next_second()
        (standing,) = (await store.admit(acme, [Demand(window, cost=5)])).standings
        before = standing.window
        await next_second()
        (standing,) = (await store.admit(acme, [Demand(window, cost=4)])).standings
        after = standing.window

    assert (standing.allowed, standing.remaining) == (10, 6)
    await next_second()

    assert (await store.admit(acme, [Demand(window)])).standings[0].allowed == 12


async def test_what_was_reserved_and_not_used_comes_back(store, acme):
    (standing,) = (await store.admit(acme, [Demand(CALLS, cost=12)])).standings
    assert not (await store.admit(acme, [Demand(CALLS)])).is_admitted

    await store.settle(acme, [Settlement(CALLS, "", standing.window, -7)])

    assert (await store.admit(acme, [Demand(CALLS, cost=0)])).standings[0].remaining == 7


async def test_what_was_used_beyond_the_reservation_counts(store, acme):
    (standing,) = (await store.admit(acme, [Demand(CALLS)])).standings

    await store.settle(acme, [Settlement(CALLS, "", standing.window, 30)])

    assert (await store.admit(acme, [Demand(CALLS, cost=0)])).standings[0].remaining == 0
    assert not (await store.admit(acme, [Demand(CALLS)])).is_admitted


async def test_settling_a_window_that_nobody_knows_changes_nothing(store, acme):
    await store.settle(acme, [Settlement(CALLS, "", 17, -5), Settlement(CALLS, "nobody", 17, 5)])

    assert (await store.admit(acme, [Demand(CALLS, cost=0)])).standings[0].remaining == 12


@pytest.mark.timeout(120)
def test_two_hundred_at_once_get_exactly_the_fifty_that_are_left(address, acme):
    """Threads of this process."""
    window = Window("calls", 1000, limit_claims.DECADE_S)
    with limit_claims.opened_store(address) as store:
        asyncio.run(store.admit(acme, [Demand(window, cost=1150)]))
        start = threading.Barrier(50)

        def ask(number: int) -> bool:
            if number < 50:
                start.wait()
            demands = [Demand(Bucket("write", 1000, 1000), f"user {number % 7}"), Demand(window)]
            # A pool's threads know nothing of who fills it.
            with within(acme):
                return asyncio.run(store.admit(acme, demands)).is_admitted

        with ThreadPoolExecutor(50) as pool:
            admitted = list(pool.map(ask, range(200)))

    assert sum(admitted) == 50


@pytest.mark.timeout(120)
def test_processes_share_what_is_left_too(address, acme):
    window = Window("calls", limit_claims.LIMIT, limit_claims.DECADE_S)
    with limit_claims.opened_store(address) as store:
        asyncio.run(store.admit(acme, [Demand(window, cost=limit_claims.LIMIT * 120 // 100 - 50)]))

    start = str(time.time() + 2.0)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.contract.limit_claims", address, acme, "50", start],
            stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    admitted = [int(process.communicate(timeout=90)[0]) for process in processes]

    assert sum(admitted) == 50


async def test_a_thousand_tenants_each_get_their_share(address, store):
    run, tenants = uuid4().hex, 1000 if address.startswith("redis") else 100
    got = dict.fromkeys(range(tenants), 0)
    for _ in range(3):
        for number in got:
            admission = await store.admit(TenantId(f"{run}-{number}"), [Demand(Bucket("write", 2, 3600 * SECOND_US))])
            got[number] += admission.is_admitted

    assert set(got.values()) == {2}


# One store's own


@pytest.mark.parametrize("ahead", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=400)])
async def test_wrong_clocks_gain_nothing_from_dynamodb(dynamodb, acme, ahead):
    """The store holds every machine to the second that DynamoDB's answers name, and to how long they took."""
    started = time.monotonic()
    right = DynamoLimitStore(dynamodb, limit_claims.TABLE, SystemClock())
    wrong = DynamoLimitStore(dynamodb, limit_claims.TABLE, SkewedClock(ahead))
    demands = [Demand(SLOW, "ada"), Demand(CALLS)]

    admitted = [(await store.admit(acme, demands)).is_admitted for store in (right, wrong) * 6]

    assert sum(admitted) == 5
    standings = [(await store.admit(acme, [Demand(SLOW, "ada", 0)])).standings[0] for store in (right, wrong)]
    took_s = time.monotonic() - started
    assert abs(standings[0].reset_us - standings[1].reset_us) < (2.5 + took_s) * SECOND_US


async def test_redis_needs_no_script_beforehand(redis_address, acme):
    connection = Connection(redis_address)
    with Redis.from_url(redis_address) as client:
        client.script_flush()

    assert (await RedisLimitStore(connection).admit(acme, [Demand(SLOW)])).is_admitted
    connection.close()


async def test_keys_of_redis_expire_and_carry_the_tenant(redis_address, acme):
    connection = Connection(redis_address)
    store = RedisLimitStore(connection)
    (_, standing) = (await store.admit(acme, [Demand(SLOW, "ada"), Demand(CALLS)])).standings
    assert standing.window is not None
    await store.settle(acme, [Settlement(CALLS, "", standing.window, -1)])
    connection.close()

    with Redis.from_url(redis_address) as client:
        expires_in = {key.decode(): client.pttl(key) for key in client.scan_iter(match=f"*{acme}*")}

    assert len(expires_in) == 2
    for key, milliseconds in expires_in.items():
        assert key.startswith(f"tessera:{{{acme}}}:")
        assert 0 < milliseconds <= (2 * limit_claims.DECADE_S + 60) * 1000


async def test_items_of_dynamodb_expire_and_carry_the_tenant(dynamodb, acme):
    await DynamoLimitStore(dynamodb, limit_claims.TABLE, SystemClock()).admit(
        acme, [Demand(SLOW, "ada"), Demand(CALLS)]
    )

    items = [item for item in dynamodb.scan(TableName=limit_claims.TABLE)["Items"] if acme in item["pk"]["S"]]

    assert len(items) == 2
    for item in items:
        assert item["pk"]["S"].startswith(f"t#{acme}#")
        assert time.time() < int(item["expires_at"]["N"]) < time.time() + 3 * limit_claims.DECADE_S


async def test_a_dead_redis_is_told_quickly(acme):
    with running_redis() as server:
        store = RedisLimitStore(Connection(server.address))
        await store.admit(acme, [Demand(SLOW)])
        server.stop()

        started = time.monotonic()
        with pytest.raises(LimitsUnavailableError):
            await store.admit(acme, [Demand(SLOW)])

    assert time.monotonic() - started < 8


async def test_a_redis_that_hangs_is_told_quickly(acme):
    with running_redis() as server:
        store = RedisLimitStore(Connection(server.address))
        await store.admit(acme, [Demand(SLOW)])
        server.freeze()

        started = time.monotonic()
        with pytest.raises(LimitsUnavailableError):
            await store.admit(acme, [Demand(SLOW)])
        assert time.monotonic() - started < 8


async def test_a_redis_that_was_restarted_counts_again(acme, tmp_path):
    with kept_port() as port, running_redis(port=port) as server:
        store = RedisLimitStore(Connection(server.address))
        await store.admit(acme, [Demand(SLOW)])
        server.stop()
        again = start_redis(tmp_path, port=server.port)
        try:
            assert (await store.admit(acme, [Demand(SLOW)])).is_admitted
        finally:
            again.stop()


async def test_a_dynamodb_out_of_reach_is_told_quickly(acme):
    client = boto3.client(
        "dynamodb", endpoint_url=f"http://{NOBODY}", region_name=emulator.REGION,
        aws_access_key_id="x", aws_secret_access_key="x", config=limit_claims.PROMPT,
    )  # fmt: skip
    started = time.monotonic()
    with pytest.raises(LimitsUnavailableError):
        await DynamoLimitStore(client, limit_claims.TABLE, SystemClock()).admit(acme, [Demand(SLOW)])
    assert time.monotonic() - started < 12
    client.close()


async def next_second() -> None:
    """Wait for the beginning of a second."""
    await asyncio.sleep(1.01 - time.time() % 1)


class Crowd:
    """A connection behind whose every look somebody else empties the bucket, and fills it again before the next one."""

    def __init__(self, client: "DynamoDBClient", tenant: TenantId, bucket: Bucket) -> None:
        self._client = client
        self._key = bucket_key(tenant, bucket.name, "")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, **asked: Any) -> Any:
        self._client.delete_item(TableName=limit_claims.TABLE, Key=self._key)
        answer = self._client.batch_get_item(**asked)
        emptied: Any = {**self._key, "full_at": {"N": str(10 * int(time.time()) * SECOND_US)}}
        self._client.put_item(TableName=limit_claims.TABLE, Item=emptied)
        return answer


async def test_a_tenant_in_its_own_way_is_told_apart_from_a_store_that_does_not_answer(dynamodb, acme, monkeypatch):
    monkeypatch.setattr(limit_store, "PATIENCE_S", 0.1)
    crowd: Any = Crowd(dynamodb, acme, SLOW)

    with pytest.raises(LimitsCrowdedError):
        await DynamoLimitStore(crowd, limit_claims.TABLE, SystemClock()).admit(acme, [Demand(SLOW)])
