"""What is asked of cells is asked once, told of once, and refused where it cannot be."""

import pytest

from shared.cells.errors import CellBusyError, CellClosedError, CellNotFoundError, LastOpenCellError
from shared.cells.models import CellId, CellState
from tests.unit.cells.deployments import Deployment
from tests.unit.cells.memory import finish, step

A, B, Z = CellId("a"), CellId("b"), CellId("z")
ALL = ["close", "reopen", "fill", "stop_filling"]


@pytest.fixture
def deployment():
    return Deployment("a", "b")


def ask(deployment, what, cell=B):
    return finish(getattr(deployment.membership, what)(cell))


@pytest.mark.parametrize("what", ALL)
def test_a_cell_that_there_is_not_is_refused(deployment, what):
    with pytest.raises(CellNotFoundError):
        ask(deployment, what, Z)


@pytest.mark.parametrize(("what", "state"), [("close", CellState.CLOSING), ("fill", CellState.FILLING)])
def test_a_wish_asked_for_again_is_one_wish(deployment, what, state):
    first = ask(deployment, what)
    deployment.clock.at = deployment.clock.at.replace(hour=13)

    assert ask(deployment, what) == first
    assert (first.state, first.change.left) == (state, None)
    assert deployment.registry.told == [B]


@pytest.mark.parametrize(
    ("what", "back"), [("close", "reopen"), ("fill", "stop_filling")], ids=["reopened", "not filled"]
)
def test_a_wish_is_given_up_once(deployment, what, back):
    ask(deployment, what)

    assert ask(deployment, back) == ask(deployment, back)
    assert (deployment.cell("b").state, deployment.cell("b").change) == (CellState.OPEN, None)
    assert deployment.registry.told == [B, B]


def test_giving_up_one_wish_leaves_the_other(deployment):
    ask(deployment, "fill")
    assert ask(deployment, "reopen").state is CellState.FILLING
    ask(deployment, "close")
    assert ask(deployment, "stop_filling").state is CellState.CLOSING
    with pytest.raises(CellClosedError):
        ask(deployment, "fill")


def test_the_last_open_cell_stays_open(deployment):
    ask(deployment, "close")

    with pytest.raises(LastOpenCellError) as refusal:
        ask(deployment, "close", A)

    assert refusal.value.facts == {"cell": "a"}
    assert deployment.cell("a").state is CellState.OPEN


def test_a_closed_cell_may_be_closed_again_although_no_other_is_open(deployment):
    for cell in (A, B):
        deployment.registry.stored = deployment.registry.stored.closed(cell, deployment.clock.at)

    assert ask(deployment, "close").state is CellState.CLOSING
    assert deployment.registry.told == []


@pytest.mark.parametrize("turns", range(6))
def test_two_that_close_the_last_two_cells_at_once_leave_one(deployment, turns):
    first, outcomes = deployment.membership.close(A), []
    is_late = all(step(first) for _ in range(turns))
    for task in (deployment.membership.close(B), *([first] if is_late else [])):
        try:
            finish(task)
        except LastOpenCellError as error:
            outcomes.append(error)

    assert len(deployment.registry.stored.open_cells()) == 1
    assert len(outcomes) == 1


def test_when_others_keep_changing_the_registry_it_says_so(deployment):
    async def refuse(registry, cell_id):
        return False

    deployment.registry.change = refuse

    with pytest.raises(CellBusyError):
        ask(deployment, "close")


def test_topology_rises_with_openness_and_not_with_wishes(deployment):
    seen = [deployment.registry.stored.topology]
    for what in ("fill", "stop_filling", "close", "close", "reopen"):
        ask(deployment, what)
        seen.append(deployment.registry.stored.topology)

    assert [later - seen[0] for later in seen] == [0, 0, 0, 1, 1, 2]
