"""Cells are emptied and filled a few tenants at a time, whoever dies or comes in between; nobody moves twice."""

from datetime import timedelta

import pytest

from shared.cells import census
from shared.cells.balance import moved, plan_joining, plan_leaving
from shared.cells.errors import CellClosedError, InvalidMoveError
from shared.cells.models import Cell, CellId, CellState
from shared.cells.placements import MoveState
from shared.cells.rebalancing import RESTS
from shared.cells.tenant_moves import LONGEST_LIFE
from shared.kernel.ids import TenantId
from tests.unit.cells.deployments import REGION, Deployment
from tests.unit.cells.memory import finish, step

A, B, C = (CellId(name) for name in "abc")


@pytest.fixture
def deployment():
    made = Deployment("a", "b", "c")
    made.sign_up(30)
    return made


def turns_of(make_task):
    task, turns = make_task(), 0
    while step(task):
        turns += 1
    return turns


def small(*, fills=False):
    """A deployment with seven tenants to move, five of them at once."""
    made = Deployment("a", "b", "c")
    if fills:
        made.put("a", *(f"t{number}" for number in range(11)))
        made.put("b", *(f"s{number}" for number in range(10)))
        made.fill("c")
    else:
        made.put("c", *(f"t{number}" for number in range(7)))
        made.put("a", "s1", "s2", "s3")
        made.close("c")
    return made


PLAN_TURNS = turns_of(lambda: small().planner().plan({}))


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


def test_a_cell_is_filled_although_another_cannot_be_emptied():
    deployment = Deployment("a", "b", "c")
    deployment.put("a", *(f"s{number}" for number in range(4)))
    deployment.put("b", "t1", "t2", "t3", "t4")
    deployment.close("b")
    deployment.see("b", is_healthy=False)
    deployment.fill("c")
    deployment.run_until("c", CellState.OPEN)

    assert deployment.held == {A: 2, B: 4, C: 2}


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


@pytest.mark.parametrize("fills", [False, True], ids=["closing", "filling"])
@pytest.mark.parametrize("killed_at", range(PLAN_TURNS + 12))
def test_a_planner_killed_anywhere_is_followed_by_the_next(killed_at, fills):
    deployment, undisturbed = small(fills=fills), small(fills=fills)
    killed = deployment.planner().plan({})
    for _ in range(killed_at):
        if not step(killed):
            break
    killed.close()

    for one in (deployment, undisturbed):
        one.run_until("c", CellState.OPEN if fills else CellState.CLOSED)
    assert deployment.where == undisturbed.where
    assert deployment.moved == undisturbed.moved
    assert set(deployment.moved.values()) == {1}
    assert deployment.most_working <= 5


@pytest.mark.parametrize("fills", [False, True], ids=["closing", "filling"])
@pytest.mark.parametrize("turns", range(PLAN_TURNS + 12))
def test_two_planners_at_once_move_nobody_twice(turns, fills):
    deployment, undisturbed = small(fills=fills), small(fills=fills)
    late = deployment.planner().plan({})
    is_late = all(step(late) for _ in range(turns))
    finish(deployment.planner().plan({}))
    if is_late:
        finish(late)

    assert deployment.working <= 10
    for one in (deployment, undisturbed):
        one.run_until("c", CellState.OPEN if fills else CellState.CLOSED)
    assert deployment.where == undisturbed.where
    assert set(deployment.moved.values()) == {1}


@pytest.mark.parametrize("turns", range(PLAN_TURNS + 1))
def test_a_planner_that_stalls_until_all_is_done_moves_nobody_again(turns):
    deployment = small()
    late = deployment.planner().plan({})
    for _ in range(turns):
        step(late)
    deployment.run_until("c", CellState.CLOSED)
    before = deployment.where
    deployment.reopen("c")
    if turns < PLAN_TURNS:
        finish(late)

    assert deployment.where == before
    assert deployment.working == 0
    assert deployment.cell("c").state is CellState.OPEN
    assert deployment.cell("c").change is None


@pytest.mark.parametrize("turns", range(PLAN_TURNS + 1))
def test_a_cell_reopened_at_any_moment_stays_open_and_what_began_is_finished(turns):
    deployment = small()
    planning = deployment.planner().plan({})
    for _ in range(turns):
        step(planning)
    deployment.reopen("c")
    if turns < PLAN_TURNS:
        finish(planning)
    deployment.run(30)

    assert deployment.cell("c").state is CellState.OPEN
    assert deployment.cell("c").change is None
    assert len(deployment.moved) <= 5
    assert deployment.held[C] == 7 - len(deployment.moved)


@pytest.mark.parametrize("turns", range(PLAN_TURNS + 1))
def test_a_tenant_moved_by_hand_meanwhile_is_moved_once(turns):
    """To where the plan has it or elsewhere: who is faster decides, and the other hears of it."""
    deployment = small()
    planning = deployment.planner().plan({})
    for _ in range(turns):
        step(planning)
    try:
        finish(deployment.moves.start(TenantId("t0"), CellId("b")))
        is_by_hand = True
    except InvalidMoveError:
        is_by_hand = False
    if turns < PLAN_TURNS:
        finish(planning)
    deployment.run_until("c", CellState.CLOSED)

    assert deployment.moved == dict.fromkeys((f"t{number}" for number in range(7)), 1)
    assert not is_by_hand or deployment.where[TenantId("t0")] == B


@pytest.mark.parametrize("turns", range(8))
def test_whoever_signs_up_while_a_cell_closes_is_found_in_it(turns):
    deployment = Deployment("a", "b")
    late = TenantId("late")
    deployment.signed_up.append(late)
    deployment.see("a", is_healthy=False)
    signing_up = deployment.directory.place(late, REGION)
    is_late = all(step(signing_up) for _ in range(turns))
    deployment.see("a", is_healthy=True)
    deployment.close("b")
    deployment.run()
    assert deployment.cell("b").state is CellState.CLOSING
    if is_late:
        finish(signing_up)
    deployment.run_until("b", CellState.CLOSED)

    assert deployment.where[late] == A


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


def test_nobody_lists_all_organisations_once_a_further_cell_is_closed():
    deployment = Deployment("a", "b")
    deployment.close("b")
    deployment.run_until("b", CellState.CLOSED)
    deployment.tenants = None

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


def test_a_move_given_up_by_hand_rests_and_is_planned_again():
    deployment = Deployment("a", "b")
    deployment.put("b", "acme")
    deployment.close("b")
    deployment.run()
    finish(deployment.moves.cancel(TenantId("acme")))
    deployment.run(int(LONGEST_LIFE / timedelta(minutes=1)) + 2)
    assert deployment.placements.records["acme"].move.state is MoveState.ABORTED
    assert deployment.cell("b").change.standstill == "moves-given-up"
    assert deployment.run() == 0

    deployment.clock.at += RESTS
    assert deployment.run() == 1
    assert deployment.cell("b").change.standstill == ""
    deployment.run_until("b", CellState.CLOSED)
    assert deployment.where == {"acme": A}


def test_who_rests_keeps_nobody_else_and_is_no_standstill_while_others_move():
    deployment = Deployment("a", "b")
    deployment.put("b", "acme")
    deployment.close("b")
    deployment.run()
    finish(deployment.moves.cancel(TenantId("acme")))
    deployment.run(18)
    deployment.put("b", "globex")

    told = []
    for _ in range(3):
        deployment.run()
        told.append(deployment.cell("b").change.standstill)

    assert told == ["", "", ""]
    assert set(deployment.where.values()) == {A, B}


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


@pytest.mark.parametrize(
    ("seen", "standstill"),
    [
        ({"a": {"is_healthy": False}}, "no-healthy-cell"),
        ({"a": {"load": 0.8}}, "no-room-elsewhere"),
        ({"b": {"is_healthy": False}}, "cell-unavailable"),
    ],
)
def test_what_cannot_go_on_says_why_and_goes_on_by_itself(seen, standstill):
    deployment = Deployment("a", "b")
    deployment.put("b", "acme")
    deployment.close("b")
    for name, how in seen.items():
        deployment.see(name, **how)
    assert deployment.run(20) == 0
    assert deployment.cell("b").state is CellState.CLOSING
    assert (deployment.cell("b").change.left, deployment.cell("b").change.standstill) == (1, standstill)

    for name in seen:
        deployment.see(name)
    assert deployment.run() == 1
    assert deployment.cell("b").change.standstill == ""


@pytest.mark.parametrize(
    ("seen", "standstill"),
    [
        ({"a": {"is_healthy": False}}, "no-healthy-cell"),
        ({"b": {"load": 0.8}}, "no-room-elsewhere"),
        ({"b": {"is_healthy": False}}, "cell-unavailable"),
    ],
)
def test_filling_that_cannot_go_on_says_why_and_goes_on_by_itself(seen, standstill):
    deployment = Deployment("a", "b")
    deployment.put("a", "acme", "globex")
    deployment.fill("b")
    for name, how in seen.items():
        deployment.see(name, **how)
    assert deployment.run(20) == 0
    assert (deployment.cell("b").change.left, deployment.cell("b").change.standstill) == (1, standstill)

    for name in seen:
        deployment.see(name)
    deployment.run_until("b", CellState.OPEN)
    assert deployment.held == {A: 1, B: 1}


def test_a_target_that_falls_ill_keeps_its_moves_and_gets_no_more():
    deployment = Deployment("a", "b", "c")
    deployment.put("c", *(f"t{number}" for number in range(7)))
    deployment.close("c")
    deployment.run()
    going = {t: p.under_way.target for t, p in deployment.placements.records.items() if p.under_way}
    assert set(going.values()) == {A, B}
    deployment.see("a", is_healthy=False)
    deployment.cells.of(A).is_deaf = True
    finish(deployment.planner().plan({t: "index-unavailable" for t, cell in going.items() if cell == A}))
    assert deployment.cell("c").change.standstill == "index-unavailable"

    deployment.run(3)

    later = {t for t, p in deployment.placements.records.items() if p.under_way} - going.keys()
    assert {deployment.placements.records[t].under_way.target for t in later} <= {B}
    deployment.see("a", is_healthy=True)
    deployment.cells.of(A).is_deaf = False
    deployment.run_until("c", CellState.CLOSED)
    assert set(deployment.moved.values()) == {1}


def test_a_cell_that_the_deployment_forgot_says_so_and_vanishes_when_nobody_is_in_it():
    deployment = Deployment("a", "b")
    deployment.put("b", "acme")
    deployment.known.remove(B)
    deployment.registry.stored = deployment.registry.stored.closed(B, deployment.clock.at)
    deployment.run(20)
    assert deployment.cell("b").change.standstill == "cell-not-found"

    deployment.known.append(B)
    deployment.run_until("b", CellState.CLOSED)
    deployment.known.remove(B)
    deployment.run()

    assert set(deployment.registry.stored.cells) == {A}


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


def test_when_others_write_the_registry_all_the_time_moves_begin_all_the_same():
    deployment = small()

    async def refuse(registry):
        return False

    deployment.registry.replace = refuse

    assert finish(deployment.planner().plan({})) == 5
    assert deployment.cell("c").change.left is None
