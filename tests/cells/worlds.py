"""A tenant's chunks in two files, with gates and placements in memory, and failures where a test wants them."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from shared.adapters.cells.chunk_cell import ChunkCells
from shared.adapters.cells.routed_index import RoutedChunkIndex
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.cells.errors import CellNotFoundError
from shared.cells.gates import Gate
from shared.cells.models import CellId
from shared.cells.moving import TenantMover
from shared.cells.placements import MoveState
from shared.cells.tenant_moves import TenantMoves
from shared.kernel.ids import TenantId
from tests.unit.cells.memory import MemoryPlacements, MemoryRegistry

ACME, A, B = TenantId("acme"), CellId("a"), CellId("b")


class MovableClock:
    def __init__(self):
        self.at = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def now(self):
        return self.at


class MemoryGates:
    """Implements `GateStore`. `looks` counts how often anybody read one."""

    def __init__(self):
        self.gates = defaultdict(Gate)
        self.looks = 0

    async def gate(self, tenant, cell_id):
        self.looks += 1
        return self.gates[tenant, cell_id]

    async def set_gate(self, tenant, cell_id, gate):
        if gate.epoch > self.gates[tenant, cell_id].epoch:
            self.gates[tenant, cell_id] = gate
        return self.gates[tenant, cell_id]


class MemoryErasures:
    """Implements `ErasureStore`."""

    def __init__(self):
        self.kept = {}

    async def note(self, tenant, erasure):
        self.kept[erasure] = tenant

    async def noted(self, tenant, limit):
        return list(self.kept)[:limit]

    async def forget(self, tenant, erasures):
        for erasure in erasures:
            del self.kept[erasure]


class Interrupted:
    """A store that lets something else happen once, before or after a call of one of its methods is done."""

    def __init__(self, store):
        self.store = store
        self.before, self.after = {}, {}
        self.failure = None

    def __getattr__(self, name):
        call = getattr(self.store, name)

        async def interrupted(*args, **kwargs):
            if self.failure is not None:
                raise self.failure
            if name in self.before:
                await self.before.pop(name)()
            answer = await call(*args, **kwargs)
            if name in self.after:
                await self.after.pop(name)()
            return answer

        return interrupted


class World:
    def __init__(self, folder):
        self.clock, self.placements = MovableClock(), MemoryPlacements()
        self.gates, self.erasures, self.registry = MemoryGates(), MemoryErasures(), MemoryRegistry()
        self.stores = {name: Interrupted(SqliteChunkIndex(folder / f"{name}.sqlite")) for name in (A, B)}

    def of(self, place):
        if place not in self.stores:
            raise CellNotFoundError(place)
        return self.stores[place]

    def index(self):
        return RoutedChunkIndex(self, self.placements, self.gates, self.erasures, self.clock, A)

    def moves(self):
        mover = TenantMover(
            self.placements, ChunkCells(self, self.gates, self.erasures), self.clock, 2, timedelta(minutes=16)
        )
        return TenantMoves(self.placements, mover, self.clock, frozenset({A, B}), A, self.registry)

    async def move_until(self, state, target=B):
        moves = self.moves()
        await moves.start(ACME, target)
        for _ in range(100):
            move = (await moves.placement(ACME)).move
            if move.state is state:
                return
            if move.state is MoveState.CLEANING:
                self.clock.at += timedelta(minutes=5)
            await moves.mover.advance(ACME)
        raise AssertionError(f"the move never comes to {state}")

    async def ids_in(self, name):
        return {
            (one.scope, one.chunk.document_id, one.chunk.ordinal) for one in await self.of(name).scan(ACME, None, 99)
        }
