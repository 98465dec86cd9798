"""A tenant moved under load between two real cells, its mover killed before and after every single effect (T6)."""

import asyncio
import os
import secrets
import tempfile
import time
from pathlib import Path
from typing import Final

from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT, CELLS
from tests.ambient import looking_on
from tests.benchmarks.table import Table
from tests.cells.moving import Report, move_under_load
from tests.cells.places import Places
from tests.ingestion.cloud import Cloud, running_cloud
from tests.opensearch_server import can_run_node, running_node

MOST: Final = int(os.environ.get("BENCH_KILLS", "1000"))
STEP_OF_INDEXES: Final = int(os.environ.get("BENCH_STEP", "12"))
"""Of a move between indexes of a node, which takes ten times as long, only some effects have their turn."""


def run() -> Table:
    """Kill at effects 1, 2, 3, … until a move ends before its turn comes, or `BENCH_KILLS` is reached."""
    with tempfile.TemporaryDirectory() as folder, running_cloud(Path(folder) / "cloud") as cloud:
        rows = [_row("two files", *_measured(cloud, Path(folder), "", 1))]
        print(rows, flush=True)
        if can_run_node():
            with running_node() as address:
                rows.append(_row("two indexes", *_measured(cloud, Path(folder), address, STEP_OF_INDEXES)))
    return Table(
        "Moves",
        "One tenant to and fro between two cells and an index of its own, beside searches and ingestion; the process "
        "that moves it is killed (kill -9) before and after each effect, one move per effect, and another goes on. "
        "Bars: nothing fails, no wrong answer, nothing left behind, equal checksums.",
        (
            "cells", "moves", "killed", "requests", "failed", "searches checked", "wrong", "left behind", "unequal",
            "s a move",
        ),
        rows,
    )  # fmt: skip


def _measured(cloud: Cloud, folder: Path, address: str, step: int) -> tuple[Report, float]:
    names = cloud.address_of(CELLS), cloud.address_of(AUDIT)
    places = Places(*names, str(folder), address, f"bench-{secrets.token_hex(4)}")
    began = time.monotonic()
    try:
        kills, tenant = range(0, MOST + 1, step), TenantId("acme" if address else "globex")
        with looking_on():
            report = asyncio.run(move_under_load(places, tenant, kills, people=1 if address else 2))
    finally:
        places.close()
    return report, (time.monotonic() - began) / report.moves


def _row(name: str, report: Report, seconds: float) -> tuple[str, ...]:
    assert report.failures == [], report.failures[:3]
    assert report.wrong == [], report.wrong[:3]
    assert (report.left_behind, report.unequal) == (0, 0)
    return (
        name, str(report.moves), str(report.kills), f"{report.requests:,}", "0", f"{report.searches:,}", "0", "0", "0",
        f"{seconds:.1f}",
    )  # fmt: skip
