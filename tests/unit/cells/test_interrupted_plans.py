"""Whoever plans dies, stalls or is doubled, while others sign up, move or change their wish: nobody moves twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.cells.errors import InvalidMoveError
from shared.cells.models import CellId, CellState
from shared.kernel.ids import TenantId
from tests.unit.cells.deployments import REGION, Deployment
from tests.unit.cells.memory import finish, step

A, B, C = (CellId(name) for name in "abc")


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


@pytest.mark.parametrize("turns", range(PLAN_TURNS))
def test_what_was_seen_of_an_earlier_wish_is_not_written_about_the_next(turns):
    deployment = small()
    planning = deployment.planner().plan({})
    for _ in range(turns):
        step(planning)
    deployment.reopen("c")
    deployment.clock.at += timedelta(seconds=1)
    again = deployment.close("c")
    finish(planning)

    # Whoever looked only after that saw the later wish.
    assert deployment.cell("c").change in {again.change, replace(again.change, left=7)}
    assert turns <= 1 or deployment.cell("c").change == again.change


@pytest.mark.parametrize("turns", range(1, 40))
def test_whoever_saw_a_cell_filled_does_not_reopen_one_that_closed_in_the_same_moment(turns):
    deployment = Deployment("a", "b")
    deployment.put("a", "acme")
    deployment.put("b", "globex")
    deployment.fill("b")
    planning = deployment.planner().plan({})
    is_late = all(step(planning) for _ in range(turns))
    deployment.close("b")
    if is_late:
        finish(planning)

    assert deployment.cell("b").state is CellState.CLOSING


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


def test_when_others_write_the_registry_all_the_time_moves_begin_all_the_same():
    deployment = small()

    async def refuse(registry):
        return False

    deployment.registry.replace = refuse

    assert finish(deployment.planner().plan({})) == 5
    assert deployment.cell("c").change.left is None
