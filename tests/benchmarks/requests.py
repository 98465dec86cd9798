"""What a request pays for being verified, authorised and counted, and what a noisy neighbour costs (T4).

Everything is in this process but the servers: a real Redis, and the emulator's table of members.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from fastapi import FastAPI

from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.redis.client import Connection
from shared.adapters.redis.limit_store import RedisLimitStore
from shared.composition.app import build_whole_app, caller_of_bearer
from shared.composition.services import Services
from shared.composition.settings import Settings
from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.limits.limiter import Limiter
from shared.operations.capabilities import CACHE, EMBEDDER, IDENTITY, VECTORS, Capability
from shared.operations.declaration import HttpTrigger, Operation, RateClass
from shared.operations.grants import Grants
from shared.operations.http import build_app
from shared.operations.registry import load_operation
from shared.telemetry.silent import SilentTelemetry
from tests.benchmarks.table import Table
from tests.enrolment import Enrolment
from tests.ingestion.cloud import Cloud, running_cloud
from tests.redis_server import running_redis
from tests.signing import TestSigner, open_signer

CALLS = 1_500
USERS = 8
"""Enough that none of them meets a limit of their own."""

ROUNDS, REQUESTS, PAUSE_S = 6, 300, 0.01
NOISE_PER_S = 200
"""Twenty times the ten reads a second that come back to one user."""


async def bare() -> dict[str, str]:
    """Answer anybody, counting nothing."""
    return {"status": "ok"}


async def read(caller: Caller) -> dict[str, str]:
    """Answer a caller, as most operations do: one bucket, one quota."""
    return {"status": "ok"}


async def search(caller: Caller) -> dict[str, str]:
    """Answer a caller, as the most expensive operations do: one bucket, three quotas, one settlement."""
    return {"status": "ok"}


def _operation(
    function: Callable[..., Any], permission: Permission | None, rate_class: RateClass, *uses: Capability
) -> Operation:
    trigger = HttpTrigger("GET", f"/{function.__name__}", permission, rate_class)
    return Operation(function.__name__, "samples", trigger, function, uses, 256, 5)


OPERATIONS = [
    _operation(bare, None, RateClass.NONE),
    _operation(read, Permission.SEARCH, RateClass.READ),
    _operation(search, Permission.SEARCH, RateClass.READ, VECTORS.search, EMBEDDER),
]


@dataclass(frozen=True)
class Servers:
    """What stands behind the app."""

    cloud: Cloud
    redis_address: str
    people: Enrolment
    issuer: TestSigner

    def caller_of(self) -> Any:
        door = load_operation("identity", "authorize_request")
        services = Services(Grants(door.capabilities), self.cloud.settings)
        return caller_of_bearer(services.authentication.authenticator.authenticate)

    def token(self, tenant: str, user: str) -> bytes:
        self.people.enrol(tenant, user, Role.MAINTAINER)
        return f"Bearer {self.issuer.issue(tenant, user, Role.MAINTAINER)}".encode()


def run() -> Table:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cloud = stack.enter_context(running_cloud(folder))
        issuer = open_signer(cloud)
        redis = stack.enter_context(running_redis())
        people = Enrolment(DynamoTenancy(cloud.dynamodb, cloud.address_of(IDENTITY)))
        servers = Servers(cloud, redis.address, people, issuer)
        costs, (alone, beside, errors) = asyncio.run(_measure(servers))
    rows = [
        (
            f"`{name}`: {what}",
            f"{costs[name][0]:.2f} / {costs[name][1]:.2f} ms",
            f"{costs[name][0] - costs['bare'][0]:.2f} ms",
        )
        for name, what in (
            ("bare", "nobody is recognised, nothing is counted"),
            ("read", "token, membership, permission, bucket, quota"),
            ("search", "the same, two more quotas, a settlement"),
        )
    ]
    ratio = statistics.quantiles(beside, n=100)[98] / statistics.quantiles(alone, n=100)[98]
    rows.append(
        (
            f"a neighbour at {NOISE_PER_S} reads/s, twenty times its limit",
            f"{_figures(alone)} ms alone, {_figures(beside)} ms beside it",
            f"p99 × {ratio:.2f}, {errors} errors",
        )
    )
    return Table(
        "Requests",
        f"{CALLS} requests of each kind in turn, in process, real Redis on loopback, the members' table on the "
        "emulator (remembered for 30 s, as in production). p50 / p99. Bar: verification, authorisation, rate limit and "
        "quota below 1.5 ms at p50. Then `list_knowledge_bases` of one tenant, alone and beside a noisy one, in turn "
        "in the same run. Bar: p99 at most 1.3 × that alone, no error.",
        ("request", "p50 / p99", "more than bare at p50"),
        rows,
    )


def _figures(times: list[float]) -> str:
    return f"{statistics.median(times):.2f} / {statistics.quantiles(times, n=100)[98]:.2f}"


async def _measure(servers: Servers) -> tuple[dict[str, tuple[float, float]], tuple[list[float], list[float], int]]:
    return await _costs(servers), await _noise(servers)


async def _costs(servers: Servers) -> dict[str, tuple[float, float]]:
    limiter = Limiter(RedisLimitStore(Connection(servers.redis_address)), SilentTelemetry())
    app = build_app(OPERATIONS, lambda _: object(), servers.caller_of(), lambda _: limiter)
    tokens = [servers.token("solo", f"user{number}") for number in range(USERS)]
    times: dict[str, list[float]] = {operation.id: [] for operation in OPERATIONS}
    for call in range(-50, CALLS):
        for name, taken in times.items():
            started = perf_counter()
            status = await _request(app, f"/{name}", tokens[call % USERS])
            if call >= 0:
                taken.append((perf_counter() - started) * 1000)
            assert status == 200, (name, status)
    return {name: (statistics.median(taken), statistics.quantiles(taken, n=100)[98]) for name, taken in times.items()}


async def _noise(servers: Servers) -> tuple[list[float], list[float], int]:
    settings = Settings({**servers.cloud.variables, CACHE.variable: servers.redis_address})
    app = build_whole_app(settings, servers.caller_of())
    users = [servers.token("quiet", f"user{number}") for number in range(USERS)]
    noisy = servers.token("noisy", "user")
    for _ in range(620):  # the burst that the noisy one may have like everybody
        await _request(app, "/knowledge-bases", noisy)
    times: tuple[list[float], list[float]] = ([], [])
    errors = 0
    for turn in range(-1, ROUNDS):
        for taken, is_beside in zip(times, (False, True), strict=True):
            stop = asyncio.Event()
            noise = asyncio.create_task(_flood(lambda: _request(app, "/knowledge-bases", noisy), stop))
            if not is_beside:
                stop.set()
            for number in range(REQUESTS):
                started = perf_counter()
                status = await _request(app, "/knowledge-bases", users[number % USERS])
                if turn >= 0:
                    taken.append((perf_counter() - started) * 1000)
                    errors += status != 200
                await asyncio.sleep(PAUSE_S)
            stop.set()
            refused = await noise
            assert not is_beside or refused > 0.5 * NOISE_PER_S * REQUESTS * PAUSE_S
    return *times, errors


async def _flood(send: Callable[[], Awaitable[int]], stop: asyncio.Event) -> int:
    """Send at a steady rate, whatever is answered; return how many were refused."""
    sent: list[asyncio.Task[int]] = []
    started = perf_counter()
    while not stop.is_set():
        sent.append(asyncio.ensure_future(send()))
        await asyncio.sleep(max(0.0, started + len(sent) / NOISE_PER_S - perf_counter()))
    return sum(status == 429 for status in await asyncio.gather(*sent))


async def _request(app: FastAPI, path: str, authorization: bytes) -> int:
    """Send one request as a server would, without a client's own cost; return the status."""
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [(b"authorization", authorization), (b"content-length", b"40")],
        "scheme": "https", "server": ("api.test", 443), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    return status
