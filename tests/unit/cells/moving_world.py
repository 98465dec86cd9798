"""A tenant that moves between two cells, and whoever uses it meanwhile: each goes on by single steps."""

from itertools import count

from shared.cells.access import TenantRecords
from shared.cells.errors import InvalidMoveError
from shared.cells.gates import Gate, GateRole
from shared.cells.models import CellId
from shared.cells.moving import TenantMover
from shared.cells.placements import MoveState, Placement
from shared.cells.ports import VersionConflictError
from shared.kernel.ids import TenantId
from tests.unit.cells.memory import MemoryCells, MemoryPlacements, StillClock, finish, step

ACME, A, B = TenantId("acme"), CellId("a"), CellId("b")
KEYS = ["k1", "k2", "k3", "k4", "k5"]
ENOUGH_STEPS = 50


class World:
    """Two cells, one tenant in the first, and what everybody was told: by that no later answer may go back."""

    def __init__(self):
        self.placements, self.cells = MemoryPlacements(), MemoryCells()
        self.placements.records[ACME] = Placement(ACME, A, revision=1)
        self.cells.of(A).gates[ACME] = Gate(1, GateRole.OPEN)
        self.values: dict[tuple[str, int], bytes | None] = {}
        self.told: dict[str, int] = dict.fromkeys(KEYS, 0)
        self.contents = count()
        self.answered = 0

    def router(self):
        return TenantRecords(self.placements, self.cells, StillClock())

    def mover(self):
        return TenantMover(self.placements, self.cells, StillClock(), page=2)

    @property
    def placement(self):
        return self.placements.records[ACME]

    async def read(self, router, key):
        known = self.told[key]
        record = await router.read(ACME, key)
        assert (record.version if record else 0) >= known, "an answer older than one given before"
        self.tell(record)

    async def write(self, router, key, *, deletes=False):
        record = await router.read(ACME, key)
        value = None if deletes else f"{key} {next(self.contents)}".encode()
        try:
            self.tell(await router.write(ACME, key, value, record.version if record else 0))
        except VersionConflictError:
            self.answered += 1

    def tell(self, record):
        self.answered += 1
        if record is not None:
            known = self.values.setdefault((record.key, record.version), record.value)
            assert known == record.value, "one version with two contents"
            self.told[record.key] = max(self.told[record.key], record.version)

    def fill(self):
        router = self.router()
        for key in KEYS:
            finish(self.write(router, key))

    async def move(self, target):
        """Do what a worker does with its message: the whole move, from wherever it is."""
        mover = self.mover()
        try:
            await mover.plan(ACME, target)
            for _ in range(ENOUGH_STEPS):
                if (await mover.advance(ACME)).under_way is None:
                    return
        except InvalidMoveError:
            return  # another worker has gone further

    def settle(self):
        """Finish whatever is under way."""
        mover = self.mover()
        for _ in range(ENOUGH_STEPS):
            if finish(mover.advance(ACME)).under_way is None:
                return
        raise AssertionError("the move does not end")

    def check(self):
        """Everything is in one cell, nothing in the other, and nothing older than what anybody was told."""
        here, there = self.cells.of(self.placement.cell), self.cells.of(B if self.placement.cell == A else A)
        assert self.placement.occupied == {self.placement.cell}
        assert there.records[ACME] == {}
        router = self.router()
        for key in KEYS:
            finish(self.read(router, key))
            record = here.records[ACME].get(key)
            assert (record.version if record else 0) >= self.told[key]
        move = self.placement.move
        if move is not None and move.state is MoveState.DONE:
            assert move.checksum == there.frozen.get(move.handed_over.epoch, "")


def turns_of_a_move():
    """How often a worker lets others go first, when nobody else runs."""
    world = World()
    world.fill()
    moving, turns = world.move(B), 0
    while step(moving):
        turns += 1
    return turns


MOVE_TURNS = turns_of_a_move()
