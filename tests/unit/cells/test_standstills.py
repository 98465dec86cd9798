"""Cells that cannot be emptied or filled now say why, and go on by themselves."""

from datetime import timedelta

import pytest

from shared.cells.gates import Gate, GateRole
from shared.cells.models import CellId, CellState
from shared.cells.placements import MoveState
from shared.cells.ports import Record
from shared.cells.rebalancing import RESTS
from shared.cells.tenant_moves import LONGEST_LIFE
from shared.kernel.ids import TenantId
from tests.unit.cells.deployments import Deployment
from tests.unit.cells.memory import finish

A, B, C = (CellId(name) for name in "abc")


def test_a_cell_is_filled_although_another_cannot_be_emptied():
    deployment = Deployment("a", "b", "c")
    deployment.put("a", *(f"s{number}" for number in range(4)))
    deployment.put("b", "t1", "t2", "t3", "t4")
    deployment.close("b")
    deployment.see("b", is_healthy=False)
    deployment.fill("c")
    deployment.run_until("c", CellState.OPEN)

    assert deployment.held == {A: 2, B: 4, C: 2}


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


def test_moves_that_were_given_up_take_no_place_of_those_that_go_on():
    deployment = Deployment("a", "b")
    deployment.put("b", *(f"t{number}" for number in range(7)))
    deployment.close("b")
    assert deployment.run() == 5
    for tenant in [one for one, placement in deployment.placements.records.items() if placement.under_way]:
        finish(deployment.moves.cancel(tenant))

    assert deployment.run() == 2


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


def test_copies_that_stay_unequal_are_told_of_after_a_while_and_those_that_become_equal_are_not():
    deployment = Deployment("a", "b")
    deployment.put("b", "acme")
    deployment.cells.of(B).gates[TenantId("acme")] = Gate(1, GateRole.OPEN)
    deployment.cells.of(B).records["acme"]["k1"] = Record("k1", 1, b"value")
    deployment.cells.of(A).lost = {"k1"}
    deployment.close("b")

    deployment.run(10)
    assert deployment.placements.records["acme"].move.state is MoveState.DUAL_READ
    assert deployment.cell("b").change.standstill == ""
    deployment.run(5)
    assert deployment.cell("b").change.standstill == "copies-differ"

    deployment.cells.of(A).lost = set()
    deployment.run()
    assert deployment.cell("b").change.standstill == ""
    deployment.run_until("b", CellState.CLOSED)


def test_what_stands_still_is_counted_for_whoever_watches():
    """Moves that cannot go on, and cells; not what somebody gave up by hand."""
    deployment = Deployment("a", "b")
    deployment.put("b", "acme", "globex")
    deployment.close("b")
    deployment.run()
    finish(deployment.planner().plan({TenantId("acme"): "index-unavailable", TenantId("initech"): "index-unavailable"}))
    assert deployment.telemetry.counted == [0, 3]

    for tenant in ("acme", "globex"):
        finish(deployment.moves.cancel(TenantId(tenant)))
    deployment.run(18)
    assert deployment.cell("b").change.standstill == "moves-given-up"
    deployment.see("a", is_healthy=False)
    deployment.run()
    assert deployment.telemetry.counted[2:] == [*[0] * 18, 1]


def test_moves_by_hand_are_counted_where_no_cell_changes():
    deployment = Deployment("a", "b")
    deployment.put("b", "acme")

    finish(deployment.planner().plan({TenantId("acme"): "index-unavailable"}))

    assert deployment.telemetry.counted == [1]


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
