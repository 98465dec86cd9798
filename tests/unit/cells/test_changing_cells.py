"""Cells are closed, reopened and filled while people sign up, moves are begun and given up, and schedules die."""

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from shared.cells.models import CellId, CellState
from shared.cells.places import cell_of, place_in
from shared.kernel.errors import TesseraError
from shared.kernel.ids import TenantId
from tests.unit.cells.deployments import BUDGET, MINUTE, MOST_RUNS, REGION, Deployment
from tests.unit.cells.memory import finish, step

NAMES = ["a", "b", "c"]
names = st.sampled_from(NAMES)
MOST_TASKS = 5


class ChangingCells(RuleBasedStateMachine):
    """Everybody goes on by single steps, or dies; nobody lives longer than a process does."""

    def __init__(self):
        super().__init__()
        self.deployment = Deployment(*NAMES)
        self.deployment.sign_up(6)
        self.tasks = []

    def begin(self, act, *arguments):
        async def task():
            with suppress(TesseraError):
                await act(*arguments)

        self.tasks.append(task())

    @rule(what=st.sampled_from(["close", "close", "reopen", "fill", "fill", "stop_filling"]), name=names)
    def wish(self, what, name):
        if len(self.tasks) < MOST_TASKS:
            self.begin(getattr(self.deployment.membership, what), CellId(name))

    @rule(is_placed=st.booleans())
    def sign_up(self, is_placed):
        tenant = TenantId(f"new-{len(self.deployment.signed_up)}")
        self.deployment.signed_up.append(tenant)
        if is_placed and len(self.tasks) < MOST_TASKS:
            self.begin(self.deployment.directory.place, tenant, REGION)

    @precondition(lambda self: len(self.tasks) < MOST_TASKS)
    @rule(number=st.integers(0, 20), name=names, has_own_index=st.booleans())
    def move_by_hand(self, number, name, has_own_index):
        tenant = self.deployment.signed_up[number % len(self.deployment.signed_up)]
        place = place_in(CellId(name), has_own_index=has_own_index)
        self.begin(self.deployment.moves.start, tenant, place)

    @precondition(lambda self: len(self.tasks) < MOST_TASKS)
    @rule(number=st.integers(0, 20))
    def give_up(self, number):
        tenant = self.deployment.signed_up[number % len(self.deployment.signed_up)]
        self.begin(self.deployment.moves.cancel, tenant)

    @precondition(lambda self: len(self.tasks) < MOST_TASKS)
    @rule(plans=st.booleans())
    def run_the_schedule(self, plans):
        if plans:
            self.begin(self.deployment.planner(moves_at_once=3).plan, {})
        else:
            self.begin(self.deployment.moves.advance, BUDGET)

    @rule(name=names, is_healthy=st.booleans())
    def see(self, name, is_healthy):
        self.deployment.see(name, is_healthy=is_healthy)

    @precondition(lambda self: self.tasks)
    @rule(which=st.integers(0, MOST_TASKS), steps=st.integers(1, 60))
    def go_on(self, which, steps):
        task = self.tasks[which % len(self.tasks)]
        if not all(step(task) for _ in range(steps)):
            self.tasks.remove(task)

    @precondition(lambda self: self.tasks)
    @rule(which=st.integers(0, MOST_TASKS))
    def kill(self, which):
        self.tasks.pop(which % len(self.tasks)).close()

    @precondition(lambda self: not self.tasks)
    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes):
        self.deployment.clock.at += minutes * MINUTE

    def teardown(self):
        for task in self.tasks:
            finish(task)
        deployment = self.deployment
        for name in NAMES:
            deployment.see(name)
        for _ in range(MOST_RUNS):
            deployment.run()
            if not self.is_anything_under_way():
                break
        assert not self.is_anything_under_way(), deployment.registry.stored
        self.check()

    def is_anything_under_way(self):
        states = {cell.state for cell in self.deployment.registry.stored.cells.values()}
        moves = [placement.under_way for placement in self.deployment.placements.records.values()]
        return bool(states & {CellState.CLOSING, CellState.FILLING} or any(moves))

    def check(self):
        deployment = self.deployment
        open_cells = {cell.cell_id for cell in deployment.registry.stored.open_cells()}
        assert open_cells
        for tenant in deployment.signed_up:
            # Whoever was never placed is at home.
            assert cell_of(deployment.where.get(tenant, CellId("a"))) in open_cells
        assert finish(deployment.placements.held()).keys() == set(deployment.where.values())


ChangingCells.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestChangingCells = ChangingCells.TestCase
