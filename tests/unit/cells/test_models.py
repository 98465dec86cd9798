"""The registry: what changes earlier decisions, and what cells can be."""

import math
from datetime import UTC, datetime

import pytest

from shared.cells.errors import CellExistsError, CellNotFoundError, InvalidCellError
from shared.cells.models import Cell, CellId, CellRegistry, Observation

A, B = CellId("a"), CellId("b")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def registry():
    return CellRegistry({}).added(Cell(A, "eu-central-1")).added(Cell(B, "eu-west-1"))


def test_load_and_latency_change_no_topology(registry):
    seen = registry.observed(A, Observation(load=0.9, latency_ms=80.0))

    assert seen.topology == registry.topology
    assert seen.cells[A].seen.load == 0.9


def test_health_members_and_openness_change_the_topology(registry):
    ill = registry.observed(A, Observation(is_healthy=False))
    closed = ill.closed(B, NOW)
    gone = closed.removed(B)
    grown = gone.added(Cell(CellId("c"), "us-east-1"))

    steps = [registry, ill, closed, gone, grown]
    assert [state.topology - registry.topology for state in steps] == [0, 1, 2, 3, 4]
    assert [cell.cell_id for cell in closed.open_cells()] == [A]
    assert set(gone.cells) == {A}


def test_unknown_and_known_cells_are_refused(registry):
    for change in (
        lambda cell: registry.closed(cell, NOW),
        lambda cell: registry.filled(cell, NOW),
        registry.opened,
        registry.removed,
        lambda cell: registry.observed(cell, Observation()),
    ):
        with pytest.raises(CellNotFoundError):
            change(CellId("z"))
    with pytest.raises(CellExistsError):
        registry.added(Cell(A, "eu-central-1"))


@pytest.mark.parametrize(
    "made",
    [
        lambda: Observation(load=1.01),
        lambda: Observation(load=-0.01),
        lambda: Observation(load=math.nan),
        lambda: Observation(latency_ms=-1.0),
        lambda: Observation(latency_ms=math.inf),
        lambda: Observation(latency_ms=math.nan),
        lambda: Cell(A, "eu-central-1", weight=0),
        lambda: Cell(A, "eu-central-1", weight=101),
        lambda: Cell(CellId(""), "eu-central-1"),
        lambda: Cell(A, ""),
        lambda: Cell(CellId("a#b"), "eu-central-1"),
    ],
)
def test_what_no_cell_can_be_is_refused(made):
    with pytest.raises(InvalidCellError):
        made()
