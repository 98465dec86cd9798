"""What a request pays for being verified, authorised and counted, and what a noisy neighbour costs (T4).

Everything is in this process but the servers: a real Redis, and the emulator's table of members.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

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
from tests.benchmarks.in_process import request
from tests.benchmarks.neighbour import NOISE_PER_S
from tests.benchmarks.table import Table
from tests.enrolment import Enrolment
from tests.ingestion.cloud import Cloud, running_cloud
from tests.records import transactions_of
from tests.redis_server import running_redis
from tests.signing import TestSigner, open_signer
from tests.trails import trails_in_memory

CALLS = 1_500
USERS = 8
"""Enough that none of them meets a limit of their own."""

ROUNDS, REQUESTS, PAUSE_S = 8, 500, 0.01
PATH = "/knowledge-bases"


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
        people = Enrolment(DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY)))
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
        "quota below 1.5 ms at p50. Then `list_knowledge_bases` of one tenant, alone and beside a noisy one "
        "that asks from another process, in the same run. Bar: p99 at most 1.3 × that alone, no error.",
        ("request", "p50 / p99", "more than bare at p50"),
        rows,
    )


def _figures(times: list[float]) -> str:
    return f"{statistics.median(times):.2f} / {statistics.quantiles(times, n=100)[98]:.2f}"


async def _measure(servers: Servers) -> tuple[dict[str, tuple[float, float]], tuple[list[float], list[float], int]]:
    return await _costs(servers), await _noise(servers)


async def _costs(servers: Servers) -> dict[str, tuple[float, float]]:
    limiter = Limiter(RedisLimitStore(Connection(servers.redis_address)), SilentTelemetry())
    app = build_app(OPERATIONS, lambda _: object(), servers.caller_of(), lambda _: limiter, trail_of=trails_in_memory())
    tokens = [servers.token("solo", f"user{number}") for number in range(USERS)]
    times: dict[str, list[float]] = {operation.id: [] for operation in OPERATIONS}
    for call in range(-50, CALLS):
        for name, taken in times.items():
            started = perf_counter()
            status = await request(app, f"/{name}", tokens[call % USERS])
            if call >= 0:
                taken.append((perf_counter() - started) * 1000)
            assert status == 200, (name, status)
    return {name: (statistics.median(taken), statistics.quantiles(taken, n=100)[98]) for name, taken in times.items()}


async def _noise(servers: Servers) -> tuple[list[float], list[float], int]:
    variables = {**servers.cloud.variables, CACHE.variable: servers.redis_address}
    app = build_whole_app(Settings(variables), servers.caller_of())
    users = [servers.token("quiet", f"user{number}") for number in range(USERS)]
    times: tuple[list[float], list[float]] = ([], [])
    errors = 0
    with _neighbour(variables, servers.token("noisy", "user").decode()) as neighbour:
        await asyncio.to_thread(_told, neighbour)
        for turn in range(-1, ROUNDS):
            for taken, is_beside in zip(times, (False, True), strict=True):
                if is_beside:
                    _tell(neighbour, "start")
                for number in range(REQUESTS):
                    started = perf_counter()
                    status = await request(app, PATH, users[number % USERS])
                    if turn >= 0:
                        taken.append((perf_counter() - started) * 1000)
                        errors += status != 200
                    await asyncio.sleep(PAUSE_S)
                if is_beside:
                    _tell(neighbour, "stop")
                    noise = await asyncio.to_thread(_told, neighbour)
                    assert noise["refused"] > 0.5 * NOISE_PER_S * REQUESTS * PAUSE_S, noise
    return *times, errors


@contextmanager
def _neighbour(variables: dict[str, str], authorization: str) -> "Iterator[subprocess.Popen[str]]":
    given = json.dumps({"variables": variables, "authorization": authorization, "path": PATH})
    program = [sys.executable, "-m", "tests.benchmarks.neighbour", given]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _tell(neighbour: "subprocess.Popen[str]", word: str) -> None:
    assert neighbour.stdin is not None
    neighbour.stdin.write(word + "\n")
    neighbour.stdin.flush()


def _told(neighbour: "subprocess.Popen[str]") -> dict[str, int]:
    assert neighbour.stdout is not None
    found: dict[str, int] = json.loads(neighbour.stdout.readline())
    return found
