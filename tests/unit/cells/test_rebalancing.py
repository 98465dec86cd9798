"""Cells are emptied and filled as one plan would have it, a few tenants at a time; nobody is forgotten."""

from datetime import timedelta

import pytest

from shared.cells import census
from shared.cells.balance import moved, plan_joining, plan_leaving
from shared.cells.errors import CellClosedError
from shared.cells.models import Cell, CellId, CellState
from shared.cells.placements import Move, MoveState, Placement
from shared.cells.ring import ring_of
from shared.cells.tenant_moves import LONGEST_LIFE
from shared.kernel.ids import TenantId
from tests.unit.cells.deployments import BUDGET, REGION, Deployment, SetClock
from tests.unit.cells.memory import finish

A, B, C = (CellId(name) for name in "abc")


class SlowClock(SetClock):
    """Whatever is done between two looks at it takes some seconds."""

    def now(self):
        self.at += timedelta(seconds=4)
        return self.at


@pytest.fixture
def deployment():
    made = Deployment("a", "b", "c")
    made.sign_up(30)
    return made


def test_a_closed_cell_is_emptied_as_one_plan_would_have_it_and_nobody_else_moves(deployment):
    before = deployment.where
    rest = [cell for name, cell in deployment.registry.stored.cells.items() if name != B]
    plan = plan_leaving(before, rest, B)

    deployment.close("b")
    deployment.run_until("b", CellState.CLOSED)

    assert deployment.where == moved(before, plan)
    assert deployment.moved == dict.fromkeys((move.tenant for move in plan), 1)
    assert deployment.cell("b").change.left == 0
    assert deployment.most_working == 5


def test_a_new_cell_is_filled_as_one_plan_would_have_it_and_is_open_then(deployment):
    before = deployment.where
    deployment.known.append(CellId("d"))
    deployment.registry.stored = deployment.registry.stored.added(Cell(CellId("d"), REGION))
    plan = plan_joining(before, deployment.registry.stored.open_cells(), CellId("d"))

    deployment.fill("d")
    deployment.run()
    assert deployment.cell("d").change.left == len(plan) == 7
    deployment.run()
    assert deployment.cell("d").change.left == 7
    deployment.run(16)
    assert deployment.cell("d").change.left == 2
    deployment.run_until("d", CellState.OPEN)

    assert deployment.where == moved(before, plan)
    assert deployment.moved == dict.fromkeys((move.tenant for move in plan), 1)
    assert deployment.cell("d").change is None
    assert deployment.most_working == 5


def test_five_more_begin_each_minute_while_those_before_are_only_watched(deployment):
    deployment.close("b")

    assert [deployment.run() for _ in range(3)] == [5, 5, 0]


def test_cells_that_close_together_fill_the_others_evenly():
    deployment = Deployment("a", "b", "c", "d")
    deployment.sign_up(40)
    deployment.close("b")
    deployment.close("c")
    finish(deployment.planner(moves_at_once=100).plan({}))
    deployment.run_until("b", CellState.CLOSED)
    deployment.run_until("c", CellState.CLOSED)

    assert max(deployment.held.values()) <= 1.05 * 20
    assert len(deployment.moved) == 20


def test_a_cell_that_is_filled_takes_those_first_who_have_to_go_anyway(deployment):
    deployment.known.append(CellId("d"))
    deployment.registry.stored = deployment.registry.stored.added(Cell(CellId("d"), REGION))
    deployment.fill("d")
    deployment.close("b")

    assert finish(deployment.planner(moves_at_once=100).plan({})) == 10


@pytest.mark.parametrize("page", [1, 3, 10])
def test_who_is_in_a_cell_is_read_page_by_page(deployment, monkeypatch, page):
    monkeypatch.setattr(census, "PAGE", page)
    deployment.close("b")

    assert [deployment.run() for _ in range(3)] == [5, 5, 0]
    assert deployment.cell("b").change.left == 10


def test_how_many_are_left_falls_to_none(deployment):
    deployment.close("b")
    assert deployment.cell("b").change.left is None
    left = []
    for _ in range(60):
        deployment.run()
        left.append(deployment.cell("b").change.left)

    assert left[0] == 10
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0


def test_without_a_wish_nothing_is_planned_and_one_record_read(deployment):
    reads, before = deployment.registry.reads, deployment.registry.stored
    deployment.placements.tenants_in = None

    assert finish(deployment.planner().plan({})) == 0
    assert deployment.registry.reads == reads + 1
    assert deployment.registry.stored == before


def test_a_tenant_in_an_index_of_its_own_gets_one_in_the_new_cell():
    deployment = Deployment("a", "b")
    deployment.put("b", "shared")
    deployment.put("b/own", "large")
    deployment.close("b")
    deployment.run_until("b", CellState.CLOSED)

    assert deployment.where == {"shared": "a", "large": "a/own"}


def test_an_empty_cell_is_not_called_closed_while_somebody_may_still_be_placed_in_it():
    deployment = Deployment("a", "b")
    deployment.close("b")
    asked_at = deployment.clock.at
    deployment.run_until("b", CellState.CLOSED)

    assert deployment.clock.at - asked_at >= LONGEST_LIFE


def test_the_first_cell_is_not_closed_before_those_are_moved_whom_nobody_placed(monkeypatch):
    monkeypatch.setattr(census, "PLACED_AT_ONCE", 3)
    deployment = Deployment("a", "b")
    deployment.signed_up += [TenantId(f"t{number}") for number in range(8)]
    deployment.close("a")

    counts = []
    for _ in range(3):
        deployment.run()
        counts.append(deployment.cell("a").change.left)
    assert counts == [None, None, 8]
    deployment.run_until("a", CellState.CLOSED)

    assert deployment.where == dict.fromkeys(deployment.signed_up, B)
    assert set(deployment.moved.values()) == {1}


def test_whoever_turns_up_in_a_closed_cell_is_moved_too():
    deployment = Deployment("a", "b")
    deployment.close("a")
    deployment.run_until("a", CellState.CLOSED)
    deployment.signed_up.append(TenantId("late"))

    deployment.run()

    assert deployment.cell("a").state is CellState.CLOSING
    deployment.run_until("a", CellState.CLOSED)
    assert deployment.where == {"late": B}


def test_whoever_turns_up_in_an_index_of_its_own_in_a_closed_cell_is_moved_too():
    deployment = Deployment("a", "b")
    deployment.close("b")
    deployment.run_until("b", CellState.CLOSED)
    deployment.put("b/own", "late")

    deployment.run()

    assert deployment.cell("b").state is CellState.CLOSING
    deployment.run_until("b", CellState.CLOSED)
    assert deployment.where == {"late": "a/own"}


def test_those_on_their_way_by_hand_take_room_where_they_go():
    deployment = Deployment("a", "b", "c", "d")
    ring = ring_of(deployment.registry.stored.cells.values())
    wanting_a = [name for name in (f"t{number}" for number in range(99)) if next(ring.walk(TenantId(name))) == A]
    deployment.put("d", "s1", "s2")
    deployment.put("b", *wanting_a[:2])
    for tenant in ("s1", "s2"):
        finish(deployment.moves.start(TenantId(tenant), A))
    deployment.close("b")
    finish(deployment.planner().plan({}))
    deployment.run_until("b", CellState.CLOSED)

    assert deployment.held[A] == 2
    assert set(deployment.moved.values()) == {1}


@pytest.mark.parametrize("state", MoveState)
def test_a_tenant_goes_to_the_target_unless_its_move_is_given_up(state):
    now = Deployment("a").clock.at
    move = Move(A, CellId("b/own"), 1, state, now, now)
    is_over = state in {MoveState.DONE, MoveState.ABORTED, MoveState.ABORTING}

    assert census.destination_of(Placement(TenantId("acme"), C, move=move)) == (C if is_over else B)


def test_who_moves_within_a_cell_is_not_who_it_is_filled_with():
    deployment = Deployment("a", "b")
    deployment.put("a", "acme")
    deployment.put("b", "globex")
    finish(deployment.moves.start(TenantId("globex"), CellId("b/own")))
    deployment.fill("b")

    finish(deployment.planner().plan({}))

    assert deployment.cell("b").state is CellState.OPEN


def test_nobody_lists_all_organisations_once_a_further_cell_is_closed(monkeypatch):
    deployment = Deployment("a", "b")
    deployment.close("b")
    deployment.run_until("b", CellState.CLOSED)
    monkeypatch.setattr(deployment, "tenants", None)

    assert deployment.run() == 0


@pytest.mark.parametrize("at_once", [1, 500])
def test_those_whom_nobody_placed_are_counted_before_a_cell_is_filled(monkeypatch, at_once):
    monkeypatch.setattr(census, "PLACED_AT_ONCE", at_once)
    deployment = Deployment("a", "b")
    deployment.signed_up += [TenantId(f"t{number}") for number in range(8)]
    deployment.fill("b")
    deployment.run_until("b", CellState.OPEN)

    assert deployment.held == {A: 4, B: 4}


def test_those_who_leave_count_for_the_cell_that_is_filled(deployment):
    deployment.known.append(CellId("d"))
    deployment.registry.stored = deployment.registry.stored.added(Cell(CellId("d"), REGION))
    deployment.fill("d")
    deployment.close("b")
    deployment.run_until("b", CellState.CLOSED)
    deployment.run_until("d", CellState.OPEN)

    assert set(deployment.moved.values()) == {1}
    assert deployment.held == {A: 10, C: 10, CellId("d"): 10}


def test_nobody_is_moved_by_hand_into_a_cell_that_closes():
    deployment = Deployment("a", "b")
    deployment.put("a", "acme")
    deployment.put("b", "globex")
    deployment.close("b")

    for tenant, place in (("acme", "b"), ("acme", "b/own"), ("globex", "b/own")):
        with pytest.raises(CellClosedError):
            finish(deployment.moves.start(TenantId(tenant), CellId(place)))
    assert finish(deployment.moves.start(TenantId("globex"), B)).move is None


def test_a_move_into_a_cell_is_finished_when_it_closes_and_then_goes_back_out():
    deployment = Deployment("a", "b")
    deployment.put("a", "acme")
    finish(deployment.moves.start(TenantId("acme"), B))
    deployment.close("b")
    assert finish(deployment.moves.start(TenantId("acme"), B)).under_way
    deployment.run_until("b", CellState.CLOSED)

    assert deployment.where == {"acme": A}
    assert deployment.moved == {"acme": 2}


def test_what_is_under_way_by_hand_counts_and_a_hundred_moves_are_enough():
    deployment = Deployment("a", "b", "c")
    deployment.put("a", *(f"s{number}" for number in range(4)))
    deployment.put("c", *(f"t{number}" for number in range(7)))
    for number in range(4):
        finish(deployment.moves.start(TenantId(f"s{number}"), B))
    deployment.close("c")

    assert finish(deployment.planner().plan({})) == 1
    assert finish(deployment.planner(most_moves=5, moves_at_once=100).plan({})) == 0


def test_filling_given_up_moves_nobody_more(deployment):
    deployment.known.append(CellId("d"))
    deployment.registry.stored = deployment.registry.stored.added(Cell(CellId("d"), REGION))
    deployment.fill("d")
    deployment.run()
    finish(deployment.membership.stop_filling(CellId("d")))
    deployment.run(20)

    assert deployment.held[CellId("d")] == len(deployment.moved) == 5


def test_a_run_ends_when_its_time_is_over_however_many_move():
    deployment = Deployment("a", "b")
    tenants = [f"t{number:02}" for number in range(40)]
    deployment.put("a", *tenants)
    for tenant in tenants:
        finish(deployment.moves.start(TenantId(tenant), B))
    began, deployment.clock = deployment.clock.at, SlowClock()
    finish(deployment.moves.advance(BUDGET))

    assert BUDGET <= deployment.clock.at - began < 2 * BUDGET
