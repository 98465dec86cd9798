"""The registry follows the deployment's cells and how they are; moves say how far they are."""

from datetime import UTC, datetime

import pytest

from shared.cells.models import Cell, CellId, Observation
from shared.cells.observing import CellObserver
from shared.cells.placements import Move, MoveState
from shared.cells.places import cell_of, has_own_index, place_in
from shared.cells.ports import CellUnavailableError
from shared.cells.progress import percent_of
from tests.unit.cells.memory import MemoryRegistry, StillClock

A, B = CellId("a"), CellId("b")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Probe:
    def __init__(self, load):
        self.answer = load

    async def load(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def observer(registry, *cells, **loads):
    return CellObserver(registry, cells, {CellId(name): Probe(load) for name, load in loads.items()}, StillClock())


async def test_new_cells_are_entered_and_looked_at():
    registry = MemoryRegistry()

    await observer(registry, Cell(A, "eu-west-1"), Cell(B, "eu-west-1", 3), a=0.25, b=7.0).observe()

    assert registry.stored.cells[A].seen.load == 0.25
    assert (registry.stored.cells[B].weight, registry.stored.cells[B].seen.load) == (3, 1.0)


@pytest.mark.parametrize("failure", [CellUnavailableError(), PermissionError("not for you")], ids=["down", "refuses"])
async def test_a_cell_that_does_not_answer_is_ill_until_it_does(failure):
    """And nobody is in the way of what is told of the others."""
    registry, cell = MemoryRegistry(), Cell(A, "eu-west-1")
    await observer(registry, cell, Cell(B, "eu-west-1"), a=failure, b=0.5).observe()
    assert not registry.stored.cells[A].seen.is_healthy
    assert registry.stored.cells[B].seen.load == 0.5

    await observer(registry, cell, a=0.1).observe()
    assert registry.stored.cells[A].seen.is_healthy


async def test_a_cell_that_changed_is_changed_and_one_that_is_gone_takes_nobody():
    registry = MemoryRegistry()
    await observer(registry, Cell(A, "eu-west-1"), Cell(B, "eu-west-1"), a=0.1, b=0.1).observe()
    registry.stored = registry.stored.closed(A, NOW)

    await observer(registry, Cell(A, "eu-west-1", 5), a=0.1).observe()

    assert (registry.stored.cells[A].weight, registry.stored.cells[A].is_open) == (5, False)
    assert (registry.stored.cells[B].is_open, registry.stored.cells[B].seen) == (False, Observation(is_healthy=False))


def test_places_are_cells_and_own_indexes_in_them():
    own = place_in(A, has_own_index=True)

    assert (cell_of(own), has_own_index(own)) == (A, True)
    assert (cell_of(A), has_own_index(A), place_in(A, has_own_index=False)) == (A, False, A)


@pytest.mark.parametrize(
    ("state", "passed", "total", "percent"),
    [
        (MoveState.PLANNED, 0, 0, 0),
        (MoveState.COPYING, 0, 0, 0),
        (MoveState.COPYING, 50, 100, 25),
        (MoveState.COPYING, 200, 100, 50),
        (MoveState.DUAL_READ, 100, 100, 75),
        (MoveState.SWITCHED, 50, 100, 85),
        (MoveState.CLEANING, 100, 100, 99),
        (MoveState.DONE, 0, 100, 100),
        (MoveState.ABORTED, 50, 100, 0),
    ],
)
def test_percents_rise_from_state_to_state_and_only_the_end_is_all(state, passed, total, percent):
    assert percent_of(Move(A, B, 1, state, NOW, NOW, passed=passed, total=total)) == percent
