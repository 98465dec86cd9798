"""A deployment of some cells in memory, with everything that places and moves tenants, and a clock that is set."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from shared.cells.census import CensusTaker
from shared.cells.directory import TenantDirectory
from shared.cells.membership import CellMembership
from shared.cells.models import Cell, CellId, Observation
from shared.cells.moving import TenantMover
from shared.cells.placements import MoveState, Placement
from shared.cells.places import cell_of
from shared.cells.rebalancing import STANDING_STILL, Rebalancer, RebalancingPolicy
from shared.cells.tenant_moves import LONGEST_LIFE, TenantMoves
from shared.kernel.ids import TenantId
from shared.telemetry.silent import SilentTelemetry
from tests.unit.cells.memory import MemoryCells, MemoryPlacements, MemoryRegistry, finish

REGION = "eu-central-1"
BUDGET = timedelta(seconds=50)
MINUTE = timedelta(minutes=1)
MOST_RUNS = 200


class SetClock:
    def __init__(self):
        self.at = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def now(self):
        return self.at


class Watcher(SilentTelemetry):
    """Notes what planners count of what stands still."""

    def __init__(self):
        self.counted = []

    def count(self, name, amount=1):
        assert name == STANDING_STILL
        self.counted.append(amount)


class Deployment:
    """Cells by name, the first one home; `signed_up` is everybody, placed or not."""

    def __init__(self, *names):
        self.registry, self.placements, self.cells, self.clock = (
            MemoryRegistry(),
            MemoryPlacements(),
            MemoryCells(),
            SetClock(),
        )
        self.known = [CellId(name) for name in names]
        for name in names:
            self.registry.stored = self.registry.stored.added(Cell(CellId(name), REGION))
        self.signed_up = []
        self.telemetry = Watcher()
        self.most_working = 0
        self.membership = CellMembership(self.registry, self.clock)
        self.directory = TenantDirectory(self.registry, self.placements, self.cells, self.clock, self.known)

    async def tenants(self):
        for tenant in self.signed_up:
            yield tenant

    @property
    def moves(self):
        mover = TenantMover(self.placements, self.cells, self.clock, 2, LONGEST_LIFE)
        return TenantMoves(self.placements, mover, self.clock, frozenset(self.known), self.known[0], self.registry)

    def planner(self, **policy):
        census = CensusTaker(self.placements, self, self.known[0])
        figures = RebalancingPolicy(LONGEST_LIFE, **policy)
        known = frozenset(self.known)
        return Rebalancer(self.registry, self.placements, census, self.clock, known, figures, self.telemetry)

    def put(self, cell, *tenants):
        """Have tenants in a place without asking the ring."""
        for tenant in map(TenantId, tenants):
            self.placements.records[tenant] = Placement(tenant, CellId(cell), revision=1)
            self.signed_up.append(tenant)

    def sign_up(self, count, prefix="tenant"):
        for number in range(count):
            tenant = TenantId(f"{prefix}-{number}")
            self.signed_up.append(tenant)
            finish(self.directory.place(tenant, REGION))

    def see(self, cell, **seen):
        self.registry.stored = self.registry.stored.observed(CellId(cell), Observation(**seen))

    def close(self, cell):
        return finish(self.membership.close(CellId(cell)))

    def reopen(self, cell):
        return finish(self.membership.reopen(CellId(cell)))

    def fill(self, cell):
        return finish(self.membership.fill(CellId(cell)))

    def run(self, times=1):
        """Let the schedule come, each time a minute later; return how many moves the last one began."""
        for _ in range(times):
            advanced = finish(self.moves.advance(BUDGET))
            begun = finish(self.planner().plan(advanced.troubled))
            self.most_working = max(self.most_working, self.working)
            self.clock.at += MINUTE
        return begun

    def run_until(self, cell, state):
        for _ in range(MOST_RUNS):
            if self.cell(cell).state is state:
                return
            self.run()
        raise AssertionError(f"{cell} never is {state}: {self.cell(cell)}")

    def cell(self, cell):
        return self.registry.stored.cells[CellId(cell)]

    @property
    def working(self):
        moves = [placement.under_way for placement in self.placements.records.values()]
        return sum(move is not None and move.state is not MoveState.CLEANING for move in moves)

    @property
    def where(self):
        return {tenant: placement.cell for tenant, placement in self.placements.records.items()}

    @property
    def held(self):
        return Counter(cell_of(cell) for cell in self.where.values())

    @property
    def moved(self):
        """How often each tenant was moved, of those that were: a whole move raises the epoch by four."""
        return {
            tenant: (placement.epoch - 1) / 4
            for tenant, placement in self.placements.records.items()
            if placement.epoch > 1
        }
