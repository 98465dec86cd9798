"""A tenant moved to and fro under load, by processes that are killed; what came of it."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.adapters.cells.records import entry_of
from shared.cells.comparison import checksum_of
from shared.cells.models import CellId
from shared.cells.placements import MoveState
from shared.cells.places import place_in
from shared.kernel.ids import TenantId
from shared.retrieval.chunk_stores import ChunkStore, StoredChunk
from tests.cells.load import BASE, Load, chunks_of
from tests.cells.places import A, B, Parts, Places

PAGE = 10
REPOSITORY = Path(__file__).resolve().parents[2]
OWN = place_in(B, has_own_index=True)


@dataclass
class Report:
    """What a run showed; `effects` of the mover in one undisturbed move."""

    effects: int = 0
    moves: int = 0
    kills: int = 0
    requests: int = 0
    searches: int = 0
    failures: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    left_behind: int = 0
    unequal: int = 0


class MoverHost:
    """The process from which movers are forked, so that each starts in milliseconds."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def started(cls, places: Places, tenant: TenantId) -> AsyncIterator["MoverHost"]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.cells.mover_host", places.written(), tenant, str(PAGE),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": "."},
        )  # fmt: skip
        try:
            yield cls(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def run(self, killed_at: int) -> str:
        """Run one mover to its end; return how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{killed_at}\n".encode())
        await self._process.stdin.drain()
        return (await self._process.stdout.readline()).decode().strip()


async def move_under_load(places: Places, tenant: TenantId, kills: Iterable[int], people: int = 2) -> Report:
    """Move a tenant once per number of `kills`, whose mover is killed there and followed by another, to the end.

    A move that is over before its mover is killed is the last one, for there are no more effects.

    Between moves the load pauses, and both cells are compared with what must be in them.
    """
    parts = Parts.of(places)
    load = Load(tenant, [Parts.of(places).index() for _ in range(3)], random.Random(7))
    report = Report()
    await load.fill()
    async with MoverHost.started(places, tenant) as host:
        for killed_at in kills:
            here = (await parts.moves(PAGE).placement(tenant)).cell
            target = {A: B, B: OWN, OWN: A}[here]
            over = asyncio.Event()
            running = asyncio.create_task(load.run(over.is_set, people))
            await parts.moves(PAGE).start(tenant, target)
            ended = await host.run(killed_at)
            report.kills += ended == "killed"
            is_last = killed_at > 0 and ended != "killed"
            while not ended.startswith("over"):
                assert ended == "killed", ended
                ended = await host.run(0)
            report.effects = max(report.effects, int(ended.split()[1]))
            over.set()
            await running
            await _compare(parts, places, load, here, target, report)
            if is_last:
                break
    report.requests, report.searches = load.requests, load.searches
    report.failures, report.wrong = load.failures, load.wrong
    return report


async def _compare(parts: Parts, places: Places, load: Load, source: CellId, target: CellId, report: Report) -> None:
    placement = await parts.placements.placement(load.tenant)
    assert placement is not None
    assert placement.move is not None
    assert (placement.cell, placement.move.state) == (target, MoveState.DONE)
    report.moves += 1
    report.left_behind += await places.of(source).count(load.tenant)
    expected = [StoredChunk(BASE, one) for number, live in load.live.items() for one in chunks_of(number, live)]
    report.unequal += _checksum(expected) != _checksum(await _all(places.of(target), load.tenant))


async def _all(store: ChunkStore, tenant: TenantId) -> list[StoredChunk]:
    found: list[StoredChunk] = []
    while some := await store.scan(tenant, found[-1].key if found else None, 500):
        found.extend(some)
    return found


def _checksum(chunks: Iterable[StoredChunk]) -> str:
    return checksum_of(sorted(map(entry_of, chunks), key=lambda entry: entry.key))
