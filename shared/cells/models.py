"""Cells as data: each holds the data of some tenants and serves them; the registry lists them all (T6)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NewType

from shared.cells.errors import CellExistsError, CellNotFoundError, InvalidCellError

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


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `weight` is its capacity in units of the smallest cell, 1 to `MAX_WEIGHT`.

    `is_open` is False while it is being emptied: it serves the tenants that it still has, and takes in nobody.
    Raises: InvalidCellError for an id or region without a character or with a `#`, and for another weight.
    """

    cell_id: CellId
    region: str
    weight: int = 1
    is_open: bool = True
    seen: Observation = Observation()

    def __post_init__(self) -> None:
        if not 1 <= self.weight <= MAX_WEIGHT:
            raise InvalidCellError(f"A cell's weight lies between 1 and {MAX_WEIGHT}.")
        if any(not name or "#" in name for name in (self.cell_id, self.region)):
            raise InvalidCellError("A cell has an id and a region, without '#'.")


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

    def closed(self, cell_id: CellId) -> "CellRegistry":
        """Return the registry in which the cell takes in nobody any more. Raises: CellNotFoundError."""
        return self._changed({**self.cells, cell_id: replace(self._cell(cell_id), is_open=False)})

    def removed(self, cell_id: CellId) -> "CellRegistry":
        """Return the registry without the cell, which must be empty by then. Raises: CellNotFoundError."""
        self._cell(cell_id)
        return self._changed({known: cell for known, cell in self.cells.items() if known != cell_id})

    def observed(self, cell_id: CellId, seen: Observation) -> "CellRegistry":
        """Return the registry after a look at the cell; the topology rises when its health changed.

        Raises: CellNotFoundError.
        """
        before = self._cell(cell_id)
        cells = {**self.cells, cell_id: replace(before, seen=seen)}
        if before.seen.is_healthy != seen.is_healthy:
            return self._changed(cells)
        return replace(self, cells=cells)

    def open_cells(self) -> list[Cell]:
        """Return the cells that take in tenants, in the order of their ids."""
        return sorted((cell for cell in self.cells.values() if cell.is_open), key=lambda cell: cell.cell_id)

    def _cell(self, cell_id: CellId) -> Cell:
        if cell_id not in self.cells:
            raise CellNotFoundError(cell_id)
        return self.cells[cell_id]

    def _changed(self, cells: Mapping[CellId, Cell]) -> "CellRegistry":
        return replace(self, cells=cells, topology=self.topology + 1)
