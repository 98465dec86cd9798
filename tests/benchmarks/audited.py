"""What the audit costs a request that reads: its event and its message, beside an operation that waits for a store."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import boto3
from fastapi import FastAPI, Request

from shared.adapters.aws.clients import PROMPT
from shared.adapters.sqs.access_queue import SqsAccessQueue
from shared.audit.trail import AccessTrail
from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.kernel.ids import TenantId, UserId
from shared.operations.audit import Trail
from shared.operations.capabilities import ACCESS_QUEUE
from shared.operations.declaration import HttpTrigger, Operation, RateClass
from shared.operations.http import build_app
from tests.aws_answers import answer
from tests.benchmarks.entry_layer import NoTrail
from tests.benchmarks.in_process import request
from tests.benchmarks.table import Table
from tests.ingestion.cloud import running_cloud
from tests.unit.limits.memory import limiters_in_memory

CALLS = 1_500
WAIT_S = 0.003
"""What one read of DynamoDB takes at least."""


class NoRecorder:
    """Stands where nothing comes as long as the queue takes all."""

    async def record(self, tenant: TenantId, events: Any) -> None:
        raise AssertionError("The queue takes everything here.")


async def idle(caller: Caller) -> dict[str, str]:
    """Answer at once."""
    return {"status": "ok"}


async def reading(caller: Caller) -> dict[str, str]:
    """Answer after a read, which waits in a thread as boto3 does."""
    await asyncio.to_thread(time.sleep, WAIT_S)
    return {"status": "ok"}


def _operation(function: Callable[..., Any]) -> Operation:
    trigger = HttpTrigger("GET", f"/{function.__name__}", Permission.SEARCH, RateClass.NONE)
    return Operation(function.__name__, "samples", trigger, function, (), 256, 5)


async def _caller(_: Request) -> Caller:
    return Caller(TenantId("acme"), UserId("ada"), Role.OWNER)


def _app(trail: Trail) -> FastAPI:
    operations = [_operation(function) for function in (idle, reading)]
    return build_app(operations, lambda _: object(), _caller, limiters_in_memory(), trail_of=lambda _: trail)


def run() -> Table:
    with tempfile.TemporaryDirectory() as folder, running_cloud(Path(folder)) as cloud:
        address = cloud.address_of(ACCESS_QUEUE)
        answered, asked = boto3.client("sqs", config=PROMPT), boto3.client("sqs", config=PROMPT)
        answered.meta.events.register("before-send.sqs.SendMessage", _taken)
        trails: dict[str, Trail] = {
            "nothing is sent": NoTrail(),
            "sent, and answered at once": AccessTrail(SqsAccessQueue(answered, address), NoRecorder()),
            "sent to the emulator": AccessTrail(SqsAccessQueue(asked, address), NoRecorder()),
        }
        times = asyncio.run(_measure({name: _app(trail) for name, trail in trails.items()}))
    rows = [
        (
            f"`{operation}`: {name}",
            f"{statistics.median(taken):.2f} / {statistics.quantiles(taken, n=100)[98]:.2f} ms",
            f"{statistics.median(taken) - statistics.median(times[operation, 'nothing is sent']):.2f} ms",
        )
        for (operation, name), taken in times.items()
    ]
    return Table(
        "Audit of reads",
        f"{CALLS} requests of each kind in turn, in process. `idle` answers at once, `reading` waits "
        f"{WAIT_S * 1000:.0f} ms in a thread, as a read of DynamoDB does: the message is sent beside it. Answered at "
        "once, it costs what this process does for it: write, sign, read the answer. p50 / p99.",
        ("request", "p50 / p99", "more at p50"),
        rows,
    )


def _taken(request: Any, **_: Any) -> Any:
    return answer(request, 200, {"MessageId": "m", "MD5OfMessageBody": "0" * 32})


async def _measure(apps: dict[str, FastAPI]) -> dict[tuple[str, str], list[float]]:
    times: dict[tuple[str, str], list[float]] = {
        (operation, name): [] for operation in ("idle", "reading") for name in apps
    }
    for call in range(-50, CALLS):
        for (operation, name), taken in times.items():
            started = perf_counter()
            status = await request(apps[name], f"/{operation}", b"")
            if call >= 0:
                taken.append((perf_counter() - started) * 1000)
            assert status == 200, (operation, name, status)
    return times
