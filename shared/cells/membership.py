"""What those who run the deployment ask of a cell: to be emptied, to be filled, or neither any more (T6).

What was asked stands in the registry and nowhere else; who moves because of it follows from it and from the placements,
each time anew (`rebalancing.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.cells.errors import CellBusyError, LastOpenCellError
from shared.cells.models import Cell, CellId, CellRegistry, CellState
from shared.cells.ports import AskedCellRegistryStore
from shared.kernel.clock import Clock

TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class CellMembership:
    """Changes of cells. Each returns the cell as it is then, and asked again changes nothing."""

    registry: AskedCellRegistryStore
    clock: Clock

    async def close(self, cell_id: CellId) -> Cell:
        """Let nobody into a cell any more, and have its tenants moved away.

        Raises: CellNotFoundError; LastOpenCellError when no other takes in tenants; CellBusyError.
        """

        def change(registry: CellRegistry) -> CellRegistry:
            after = registry.closed(cell_id, self.clock.now())
            if after is not registry and not after.open_cells():
                raise LastOpenCellError(cell_id)
            return after

        return await self._change(cell_id, change)

    async def reopen(self, cell_id: CellId) -> Cell:
        """Let tenants into a closed cell again, and have no more of them moved away; moves that began are finished.

        Raises: CellNotFoundError, CellBusyError.
        """
        return await self._change(
            cell_id, lambda registry: registry if registry.cell(cell_id).is_open else registry.opened(cell_id)
        )

    async def fill(self, cell_id: CellId) -> Cell:
        """Have tenants of other cells moved into a cell until it has its share.

        Raises: CellNotFoundError; CellClosedError when it takes in nobody; CellBusyError.
        """
        return await self._change(cell_id, lambda registry: registry.filled(cell_id, self.clock.now()))

    async def stop_filling(self, cell_id: CellId) -> Cell:
        """Have no more tenants of other cells moved into a cell; moves that began are finished.

        Raises: CellNotFoundError, CellBusyError.
        """
        return await self._change(
            cell_id,
            lambda registry: (
                registry.opened(cell_id) if registry.cell(cell_id).state is CellState.FILLING else registry
            ),
        )

    async def _change(self, cell_id: CellId, change: Callable[[CellRegistry], CellRegistry]) -> Cell:
        # Others write the same record: how the cells are, each minute.
        for _ in range(TRIES):
            before = await self.registry.registry()
            after = change(before)
            if after is before or await self.registry.change(after, cell_id):
                return after.cell(cell_id)
        raise CellBusyError
