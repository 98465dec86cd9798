"""A tenant moves while it is used and everybody may be killed anywhere: nothing fails, nothing is lost."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from shared.cells.errors import InvalidMoveError
from shared.cells.placements import MoveState
from tests.unit.cells.memory import finish, step
from tests.unit.cells.moving_world import ACME, KEYS, MOVE_TURNS, A, B, World


class UnderLoad(RuleBasedStateMachine):
    """Readers, writers, workers that move and people who give moves up: each goes on by single steps, or is killed."""

    def __init__(self):
        super().__init__()
        self.world = World()
        self.routers = [self.world.router() for _ in range(3)]
        self.tasks = []

    @initialize(turns=st.integers(0, MOVE_TURNS))
    def begin(self, turns):
        """Routers know where the tenant was before a worker had gone so far."""
        self.world.fill()
        for router in self.routers:
            finish(self.world.read(router, KEYS[0]))
        worker = self.world.move(B)
        for _ in range(turns):
            step(worker)
        self.tasks.append(worker)

    @precondition(lambda self: len(self.tasks) < 6)
    @rule(router=st.integers(0, 2), key=st.sampled_from(KEYS))
    def start_reading(self, router, key):
        self.tasks.append(self.world.read(self.routers[router], key))

    @precondition(lambda self: len(self.tasks) < 6)
    @rule(router=st.integers(0, 2), key=st.sampled_from(KEYS), deletes=st.booleans())
    def start_writing(self, router, key, deletes):
        self.tasks.append(self.world.write(self.routers[router], key, deletes=deletes))

    @precondition(lambda self: len(self.tasks) < 6)
    @rule(cell_id=st.sampled_from([A, B]))
    def start_moving(self, cell_id):
        self.tasks.append(self.world.move(cell_id))

    @precondition(lambda self: len(self.tasks) < 6 and self.world.placement.under_way)
    @rule()
    def start_aborting(self):
        self.tasks.append(self._abort())

    @precondition(lambda self: self.tasks)
    @rule(which=st.integers(0, 5), steps=st.integers(1, 40))
    def go_on(self, which, steps):
        task = self.tasks[which % len(self.tasks)]
        try:
            for _ in range(steps):
                task.send(None)
        except StopIteration:
            self.tasks.remove(task)

    @precondition(lambda self: self.tasks)
    @rule(which=st.integers(0, 5))
    def kill(self, which):
        self.tasks.pop(which % len(self.tasks)).close()

    def teardown(self):
        for task in self.tasks:
            finish(task)
        self.world.settle()
        self.world.check()

    async def _abort(self):
        try:
            await self.world.mover().abort(ACME)
        except InvalidMoveError:
            return


UnderLoad.TestCase.settings = settings(max_examples=250, stateful_step_count=60, deadline=None)
TestUnderLoad = UnderLoad.TestCase


@pytest.mark.parametrize("killed_at", range(1, MOVE_TURNS + 1))
def test_a_worker_killed_anywhere_is_followed_by_the_next(killed_at):
    """At every turn of a whole move; a reader and a writer that knew the tenant from before go on all the while."""
    world = World()
    world.fill()
    old = world.router()
    finish(world.read(old, KEYS[0]))
    killed = world.move(B)
    for _ in range(killed_at):
        killed.send(None)
    killed.close()

    for key in KEYS:
        finish(world.write(old, key))
        finish(world.read(old, key))
        finish(world.read(world.router(), key))
    finish(world.move(B))

    assert world.placement.cell == B
    assert world.placement.move.state is MoveState.DONE
    world.check()
    assert all(world.told[key] >= 2 for key in KEYS)


BEFORE_SWITCH = [MoveState.COPYING, MoveState.DUAL_READ, MoveState.VERIFIED]


def world_with_half_a_write(state):
    """A world whose move is in `state`, and a writer of k1 whose record the source has and the target has not.

    Somebody has read that record, so nobody may be told of an older one.
    """
    world = World()
    world.fill()
    mover = world.mover()
    finish(mover.plan(ACME, B))
    while world.placement.move.state is not state:
        finish(mover.advance(ACME))
    writer = world.write(world.router(), "k1")
    while world.cells.of(A).records[ACME]["k1"].version == 1:
        writer.send(None)
    world.cells.of(B).is_deaf = True
    finish(world.read(world.router(), "k1"))
    world.cells.of(B).is_deaf = False
    assert world.told["k1"] == 2
    return world, writer


def switch(world):
    """Go on until the target decides, without having compared what was written meanwhile."""
    mover = world.mover()
    while world.placement.move.state is not MoveState.VERIFIED:
        finish(mover.advance(ACME))
    finish(mover.advance(ACME))
    assert world.placement.cell == B


@pytest.mark.parametrize("state", BEFORE_SWITCH)
@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "stalled"])
def test_half_a_write_that_somebody_read_is_read_and_built_upon_after_the_switch(state, is_killed):
    world, writer = world_with_half_a_write(state)
    switch(world)
    finish(world.read(world.router(), "k1"))
    finish(world.write(world.router(), "k1"))
    assert world.told["k1"] == 3
    if is_killed:
        writer.close()
    else:
        finish(writer)

    world.settle()
    world.check()
    assert world.told["k1"] == 3


def test_half_a_write_is_built_upon_by_a_writer_that_read_it_before_the_switch():
    world, writer = world_with_half_a_write(MoveState.VERIFIED)
    writer.close()
    other = world.router()
    world.cells.of(B).is_deaf = True
    seen = finish(other.read(ACME, "k1"))
    world.cells.of(B).is_deaf = False
    switch(world)
    world.tell(finish(other.write(ACME, "k1", b"next", seen.version)))

    assert world.told["k1"] == 3
    world.settle()
    world.check()


@pytest.mark.parametrize("turns", range(1, 10))
def test_a_reader_that_stalls_between_both_cells_misses_nothing(turns):
    world, writer = world_with_half_a_write(MoveState.VERIFIED)
    writer.close()
    switch(world)
    reader = world.read(world.router(), "k1")
    for _ in range(turns):
        if not step(reader):
            break
    else:
        world.settle()
        finish(reader)

    world.settle()
    world.check()


@pytest.mark.parametrize("turns", range(1, 16))
def test_a_worker_that_brings_half_a_write_late_does_not_undo_what_was_built_upon_it(turns):
    world, writer = world_with_half_a_write(MoveState.VERIFIED)
    writer.close()
    switch(world)
    late = world.move(B)
    for _ in range(turns):
        late.send(None)
    finish(world.write(world.router(), "k1"))
    finish(world.read(world.router(), "k1"))
    finish(late)

    world.check()
    assert world.told["k1"] == 3


@pytest.mark.parametrize("stopped_at", range(1, MOVE_TURNS + 1))
@pytest.mark.parametrize("turns", [2, 4, 6])
def test_a_writer_killed_or_stalled_at_any_moment_of_the_move(stopped_at, turns):
    world = World()
    world.fill()
    old, stalled, dead = world.router(), world.router(), world.router()
    finish(world.read(old, "k1"))
    moving = world.move(B)
    for _ in range(stopped_at):
        step(moving)
    sleeper, victim = world.write(stalled, "k1"), world.write(dead, "k3")
    is_asleep = all(step(sleeper) and step(victim) for _ in range(turns))
    victim.close()
    finish(world.read(old, "k3"))
    finish(moving)
    if is_asleep:
        finish(sleeper)

    world.check()
    assert world.placement.cell == B


@pytest.mark.parametrize("turn", range(1, MOVE_TURNS + 1))
def test_giving_up_at_any_moment_either_works_or_comes_too_late(turn):
    world = World()
    world.fill()
    moving = world.move(B)
    for _ in range(turn):
        moving.send(None)
    try:
        finish(world.mover().abort(ACME))
        is_aborted = True
    except InvalidMoveError:
        is_aborted = False
    finish(moving)
    world.settle()

    assert world.placement.cell == (A if is_aborted else B)
    world.check()


@pytest.mark.parametrize("turns", range(1, 7))
@pytest.mark.parametrize("state", [MoveState.PLANNED, *BEFORE_SWITCH])
def test_giving_up_and_being_killed_over_it_ends_one_way_or_the_other(state, turns):
    world = World()
    world.fill()
    mover = world.mover()
    finish(mover.plan(ACME, B))
    while world.placement.move.state is not state:
        finish(mover.advance(ACME))
    aborting = world.mover().abort(ACME)
    for _ in range(turns):
        if not step(aborting):
            break
    aborting.close()
    finish(world.write(world.router(), "k1"))
    world.settle()

    world.check()
    assert world.told["k1"] == 2


@pytest.mark.parametrize("is_overtaken", [False, True], ids=["alone", "overtaken"])
@pytest.mark.parametrize("stopped_at", range(1, MOVE_TURNS + 1))
def test_a_worker_that_stalls_while_records_are_written_undoes_nothing(stopped_at, is_overtaken):
    world = World()
    world.fill()
    old = world.router()
    finish(world.read(old, "k1"))
    stalled = world.move(B)
    for _ in range(stopped_at):
        step(stalled)
    for key in KEYS:
        finish(world.write(old, key))
    if is_overtaken:
        finish(world.move(B))
        finish(world.move(A))
        for key in KEYS:
            finish(world.write(old, key, deletes=True))
    finish(stalled)
    world.settle()

    world.check()
    assert set(world.told.values()) == {3 if is_overtaken else 2}
