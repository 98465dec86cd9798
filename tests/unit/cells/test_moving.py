"""A tenant moves while nobody is killed: to one cell at a time, and only what the target really has."""

import pytest

from shared.cells.errors import InvalidMoveError, PlacementNotFoundError
from shared.cells.models import CellId
from shared.cells.placements import MoveState
from shared.cells.ports import Record
from tests.unit.cells.memory import finish
from tests.unit.cells.moving_world import ACME, A, B, World


def test_a_target_that_hears_nothing_while_it_follows_fails_no_request():
    world = World()
    world.fill()
    mover, router = world.mover(), world.router()
    finish(mover.plan(ACME, B))
    while world.placement.move.state is not MoveState.DUAL_READ:
        finish(mover.advance(ACME))
    world.cells.of(B).is_deaf = True
    finish(world.write(router, "k1"))
    finish(world.read(router, "k1"))
    world.cells.of(B).is_deaf = False
    world.settle()

    world.check()
    assert world.told["k1"] == 2


def test_a_target_that_loses_what_it_acknowledged_is_never_switched_to():
    world = World()
    world.fill()
    world.cells.of(B).lost = {"k4"}
    mover = world.mover()
    finish(mover.plan(ACME, B))
    for _ in range(30):
        finish(mover.advance(ACME))

    assert world.placement.move.state is MoveState.DUAL_READ
    assert world.placement.cell == A


def test_a_copy_with_other_content_is_found_and_mended():
    world = World()
    world.fill()
    mover = world.mover()
    finish(mover.plan(ACME, B))
    while world.placement.move.state is not MoveState.DUAL_READ:
        finish(mover.advance(ACME))
    copy = world.cells.of(B).records[ACME]
    copy["k2"] = Record("k2", copy["k2"].version, b"spoilt")
    world.settle()

    world.check()
    assert world.cells.of(B).records[ACME]["k2"].value == world.values["k2", 1]


def test_there_and_back_again_leaves_everything_where_it_was():
    world = World()
    world.fill()
    before = world.cells.of(A).checksum(ACME)
    for target in (B, A, B, A):
        finish(world.move(target))

    assert world.placement.cell == A
    assert world.cells.of(A).checksum(ACME) == before
    world.check()


def test_a_tenant_moves_to_one_cell_at_a_time():
    world = World()
    mover = world.mover()
    finish(mover.plan(ACME, B))

    assert finish(mover.plan(ACME, B)) == world.placement
    with pytest.raises(InvalidMoveError):
        finish(mover.plan(ACME, CellId("c")))


def test_a_move_that_is_given_up_is_not_begun_again_before_its_end():
    world = World()
    mover = world.mover()
    finish(mover.plan(ACME, B))
    finish(mover.abort(ACME))

    with pytest.raises(InvalidMoveError):
        finish(mover.plan(ACME, B))
    world.settle()
    assert finish(mover.plan(ACME, B)).move.state is MoveState.PLANNED


@pytest.mark.parametrize("what", ["plan", "abort", "advance"])
def test_nobody_moves_whom_nobody_placed(what):
    world = World()
    world.placements.records.clear()
    mover = world.mover()
    step_of = {
        "plan": lambda: mover.plan(ACME, B),
        "abort": lambda: mover.abort(ACME),
        "advance": lambda: mover.advance(ACME),
    }

    with pytest.raises(PlacementNotFoundError):
        finish(step_of[what]())


def test_nothing_moves_to_where_it_is():
    with pytest.raises(InvalidMoveError):
        finish(World().mover().plan(ACME, A))


def test_a_tenant_whose_gate_was_never_opened_is_let_in():
    world = World()
    world.cells.of(A).gates.clear()
    finish(world.write(world.router(), "k1"))

    assert world.told["k1"] == 1
