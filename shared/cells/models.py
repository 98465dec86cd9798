"""Cells as data: each holds the data of some tenants and serves them; the registry lists them all (T6)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from shared.cells.errors import CellClosedError, CellExistsError, CellNotFoundError, InvalidCellError

CellId = NewType("CellId", str)

MAX_WEIGHT: Final = 100


@dataclass(frozen=True, slots=True)
class Observation:
    """What was last seen of a cell. `load` is the used share of its capacity, 0 to 1; `latency_ms` its median answer.

    Raises: InvalidCellError for figures that no cell can have.
    """

    is_healthy: bool = True
    load: float = 0.0
    latency_ms: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.load <= 1.0:
            raise InvalidCellError("A cell's load lies between 0 and 1.")
        if not (math.isfinite(self.latency_ms) and self.latency_ms >= 0.0):
            raise InvalidCellError("A cell's latency is a number of milliseconds, 0 or more.")


class CellState(StrEnum):
    OPEN = "open"
    """Takes in new tenants."""

    FILLING = "filling"
    """Takes in new tenants, and others' too, until it has its share."""

    CLOSING = "closing"
    """Takes in nobody; serves the tenants that it still has, which move away."""

    CLOSED = "closed"
    """Takes in nobody, and nobody is in it."""


OPEN_STATES: Final = frozenset({CellState.OPEN, CellState.FILLING})


@dataclass(frozen=True, slots=True)
class CellChange:
    """How far the closing or filling of a cell has come that was asked for at `asked_at`.

    `left` is how many tenants have not moved to the end, None until they are counted. `standstill` is the code of what
    keeps them from it, empty while they move.
    """

    asked_at: datetime
    left: int | None = None
    standstill: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `weight` is its capacity in units of the smallest cell, 1 to `MAX_WEIGHT`.

    `change` is set in every state but OPEN.
    Raises: InvalidCellError for an id or region without a character or with a `#`, and for another weight.
    """

    cell_id: CellId
    region: str
    weight: int = 1
    state: CellState = CellState.OPEN
    change: CellChange | None = None
    seen: Observation = Observation()

    def __post_init__(self) -> None:
        if not 1 <= self.weight <= MAX_WEIGHT:
            raise InvalidCellError(f"A cell's weight lies between 1 and {MAX_WEIGHT}.")
        if any(not name or "#" in name for name in (self.cell_id, self.region)):
            raise InvalidCellError("A cell has an id and a region, without '#'.")

    @property
    def is_open(self) -> bool:
        """Whether it takes in tenants."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True)
class CellRegistry:
    """All cells, by id, as one record. `revision` rises with every write of it.

    `topology` rises only when something changes by which earlier decisions could be wrong, not merely less than ideal:
    which cells there are, what they are, and whether they are healthy.
    """

    cells: Mapping[CellId, Cell]
    topology: int = 0
    revision: int = 0

    def added(self, cell: Cell) -> "CellRegistry":
        """Return the registry with `cell`. Raises: CellExistsError."""
        if cell.cell_id in self.cells:
            raise CellExistsError(cell.cell_id)
        return self._changed({**self.cells, cell.cell_id: cell})

    def closed(self, cell_id: CellId, now: datetime) -> "CellRegistry":
        """Return the registry in which the cell takes in nobody any more, and is to be emptied.

        Nothing changes when that is so. Raises: CellNotFoundError.
        """
        if not self.cell(cell_id).is_open:
            return self
        return self._changed(self._with(cell_id, state=CellState.CLOSING, change=CellChange(now)))

    def opened(self, cell_id: CellId) -> "CellRegistry":
        """Return the registry in which the cell is open, and nobody has to move for it. Raises: CellNotFoundError."""
        cell = self.cell(cell_id)
        if cell.state is CellState.OPEN:
            return self
        cells = self._with(cell_id, state=CellState.OPEN, change=None)
        return replace(self, cells=cells) if cell.is_open else self._changed(cells)

    def filled(self, cell_id: CellId, now: datetime) -> "CellRegistry":
        """Return the registry in which the cell is to get its share of the tenants of others.

        Nothing changes when that is so. Raises: CellNotFoundError; CellClosedError when it takes in nobody.
        """
        cell = self.cell(cell_id)
        if not cell.is_open:
            raise CellClosedError(cell_id)
        if cell.state is CellState.FILLING:
            return self
        return replace(self, cells=self._with(cell_id, state=CellState.FILLING, change=CellChange(now)))

    def counted(self, cell_id: CellId, change: CellChange, *, is_empty: bool) -> "CellRegistry":
        """Return the registry that knows how far a cell's closing or filling is; one that is `is_empty` is closed.

        Raises: CellNotFoundError.
        """
        state = self.cell(cell_id).state
        if state not in OPEN_STATES:
            state = CellState.CLOSED if is_empty else CellState.CLOSING
        return replace(self, cells=self._with(cell_id, state=state, change=change))

    def removed(self, cell_id: CellId) -> "CellRegistry":
        """Return the registry without the cell, which must be empty by then. Raises: CellNotFoundError."""
        self.cell(cell_id)
        return self._changed({known: cell for known, cell in self.cells.items() if known != cell_id})

    def observed(self, cell_id: CellId, seen: Observation) -> "CellRegistry":
        """Return the registry after a look at the cell; the topology rises when its health changed.

        Raises: CellNotFoundError.
        """
        before = self.cell(cell_id)
        cells = {**self.cells, cell_id: replace(before, seen=seen)}
        if before.seen.is_healthy != seen.is_healthy:
            return self._changed(cells)
        return replace(self, cells=cells)

    def open_cells(self) -> list[Cell]:
        """Return the cells that take in tenants, in the order of their ids."""
        return sorted((cell for cell in self.cells.values() if cell.is_open), key=lambda cell: cell.cell_id)

    def cell(self, cell_id: CellId) -> Cell:
        """Raises: CellNotFoundError."""
        if cell_id not in self.cells:
            raise CellNotFoundError(cell_id)
        return self.cells[cell_id]

    def _with(self, cell_id: CellId, *, state: CellState, change: CellChange | None) -> dict[CellId, Cell]:
        return {**self.cells, cell_id: replace(self.cells[cell_id], state=state, change=change)}

    def _changed(self, cells: Mapping[CellId, Cell]) -> "CellRegistry":
        return replace(self, cells=cells, topology=self.topology + 1)
