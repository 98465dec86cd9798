"""Limits of the whole API on a real Redis: a noisy neighbour, a rush on the last of a quota, a server that dies."""

import asyncio
import re
import time
from collections import Counter
from dataclasses import replace

import httpx
import pytest
from redis import Redis

from shared.composition.app import build_whole_app, caller_of_bearer
from shared.operations.capabilities import CACHE
from tests.api.door import authenticator_of
from tests.api.tenants import Tenant, new_tenant_name, problem_of
from tests.canaries import WATCH, marks_in
from tests.clocks import early_in_the_hour
from tests.kept_ports import kept_port
from tests.redis_server import RedisServer, running_redis, start_redis
from tests.stores import leaks_in, of_cache

pytestmark = pytest.mark.real_server


@pytest.fixture(autouse=True)
async def _within_an_hour():
    await early_in_the_hour()


@pytest.fixture
def redis_server():
    with kept_port() as port, running_redis(port=port) as server:
        yield server


@pytest.fixture
def tenant_of(cloud, clock, people, issuer, redis_server: RedisServer):
    """Make tenants of an app that counts in the Redis of this test."""
    here = replace(cloud, variables={**cloud.variables, CACHE.variable: redis_server.address})
    authenticate = authenticator_of(cloud, clock).authenticate
    app = build_whole_app(here.settings, caller_of_bearer(authenticate))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test")
    yield lambda: Tenant(new_tenant_name(), client, issuer, cloud, people)
    if redis_server.process.is_running():
        assert leaks_in(of_cache(here, CACHE), WATCH.sent) == []


async def test_every_key_belongs_to_one_tenant_and_says_nothing_of_what_it_wrote(tenant_of, redis_server):
    tenants = [tenant_of() for _ in range(3)]
    for tenant in tenants:
        base = await tenant.create_base()
        await tenant.send("GET", f"/knowledge-bases/{base}")

    with Redis.from_url(redis_server.address, decode_responses=True) as redis:
        keys = redis.keys()

    assert {key for key in keys if not re.match(r"tessera:\{[a-z0-9-]+\}:", key)} == set()
    assert [marks_in(key) for key in keys if len(marks_in(key)) != 1] == []
    assert frozenset().union(*map(marks_in, keys)) == {tenant.id for tenant in tenants}


async def test_whoever_sends_twenty_times_too_much_slows_only_itself(tenant_of, grant):
    noisy, quiet = tenant_of(), tenant_of()
    await grant(noisy, api_calls_per_hour=10)
    headers, others = noisy.headers(), quiet.headers()

    async def read(whose):
        return await noisy.client.get("/knowledge-bases", headers=whose)

    flood = asyncio.gather(*(read(headers) for _ in range(240)))
    answers = [await read(others) for _ in range(60)]

    assert Counter(answer.status_code for answer in await flood) == {200: 12, 429: 228}
    assert {answer.status_code for answer in answers} == {200}


async def test_two_hundred_at_once_get_the_fifty_that_are_left(tenant_of, grant):
    acme = tenant_of()
    await grant(acme, api_calls_per_hour=100)  # and twenty more, after an hour without any
    users = [acme.headers(user=f"user{number}@example") for number in range(10)]

    async def read(number):
        return await acme.client.get("/knowledge-bases", headers=users[number % 10])

    assert {answer.status_code for answer in [await read(number) for number in range(70)]} == {200}
    answers = await asyncio.gather(*(read(number) for number in range(200)))

    assert Counter(answer.status_code for answer in answers) == {200: 50, 429: 150}


async def test_while_redis_is_dead_nothing_is_written_and_reading_is_bounded(tenant_of, redis_server, tmp_path):
    acme = tenant_of()
    base = await acme.create_base()
    redis_server.stop()

    refused = await acme.send("POST", "/knowledge-bases", json={"name": "More"})
    started = time.monotonic()
    reads = await asyncio.gather(*(acme.send("GET", f"/knowledge-bases/{base}") for _ in range(120)))
    took_s = time.monotonic() - started

    assert problem_of(refused) == (503, "limits-unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    counted = Counter(read.status_code for read in reads)
    assert 60 <= counted[200] <= 61 + took_s  # one more comes back each second
    assert counted[200] + counted[503] == 120
    assert counted[503] > 0
    assert {read.headers["x-tessera-degraded"] for read in reads} == {"limits"}

    again = start_redis(tmp_path, port=redis_server.port)
    try:
        await asyncio.sleep(int(refused.headers["retry-after"]) + 0.1)
        created = await acme.send("POST", "/knowledge-bases", json={"name": "More"})
        assert created.status_code == 201
        assert "x-tessera-degraded" not in created.headers
    finally:
        again.stop()
