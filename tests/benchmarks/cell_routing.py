"""What it costs a search to find its tenant's cell: with one cell nothing, with several one read of a gate (T6)."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from shared.composition.services import Services
from shared.composition.settings import Settings
from shared.kernel.ids import TenantId
from shared.operations.capabilities import CELLS, VECTORS
from shared.operations.grants import Grants
from shared.operations.tenants import within
from shared.operations.vector_cells import VECTOR_CELLS, VectorCell, VectorCells
from tests.benchmarks.table import Table
from tests.contract.chunks import chunk, scope
from tests.ingestion.cloud import Cloud, running_cloud

SEARCHES = 400
ACME = TenantId("acme")
BASE = scope(1)
NAMES = ("the file alone", "one cell", "two cells")


def run() -> Table:
    with tempfile.TemporaryDirectory() as folder, running_cloud(Path(folder) / "cloud") as cloud:
        times_ms, reads = asyncio.run(_measure(cloud))
    alone = median(times_ms[NAMES[0]])
    return Table(
        "Finding the cell",
        f"{SEARCHES} keyword searches over 50 chunks in a file, in turns; reads of DynamoDB are counted.",
        ("what", "p50 ms", "more than the file alone, ms", "DynamoDB reads a search"),
        [
            (name, f"{median(times):.3f}", f"{median(times) - alone:+.3f}", f"{reads[name]:.2f}")
            for name, times in times_ms.items()
        ],
    )


async def _measure(cloud: Cloud) -> tuple[dict[str, list[float]], dict[str, float]]:
    two = VectorCells(
        cells=(
            VectorCell(id="main", address="sqlite", region="local"),
            VectorCell(id="second", address="sqlite", region="local"),
        )
    )
    one_cell = _adapters(cloud.variables)
    two_cells = _adapters({**cloud.variables, VECTOR_CELLS: two.model_dump_json()})
    indexes = dict(zip(NAMES, (one_cell.home_index, one_cell.chunk_index, two_cells.chunk_index), strict=True))
    times_ms: dict[str, list[float]] = {name: [] for name in indexes}
    calls = {name: _counted(adapters) for name, adapters in ((NAMES[1], one_cell), (NAMES[2], two_cells))}
    with within(ACME):
        await one_cell.home_index.write(ACME, BASE, [chunk(number, f"notice {number}") for number in range(50)])
        for index in indexes.values():
            await index.search_keyword(ACME, BASE, "notice", 10)
        before = {name: count() for name, count in calls.items()}
        for _ in range(SEARCHES):
            for name, index in indexes.items():
                search = partial(index.search_keyword, ACME, BASE, "notice", 10)
                times_ms[name].append(await _timed(search))
    reads = {name: (count() - before[name]) / SEARCHES for name, count in calls.items()}
    assert reads[NAMES[1]] == 0
    assert reads[NAMES[2]] == 1
    return times_ms, {NAMES[0]: 0.0, **reads}


def _adapters(variables: dict[str, str]) -> Any:
    return Services(Grants((VECTORS.search, VECTORS.write, CELLS.read, CELLS.write)), Settings(variables))._adapters


def _counted(adapters: Any) -> Callable[[], int]:
    sent: list[str] = []

    def count(event_name: str, **_: Any) -> None:
        sent.append(event_name)

    adapters.aws.dynamodb.meta.events.register("before-send.dynamodb", count)
    return lambda: len(sent)


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return 1000 * (time.perf_counter() - began)
