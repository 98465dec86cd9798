"""Empty a cell (T6)."""

from shared.cells.descriptions import CellDescription, CellPath
from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import CELL_REGISTRY
from shared.operations.declaration import RateClass, operation


@operation(
    "PUT /cells/{cell_id}/closing",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    uses=[CELL_REGISTRY.read, CELL_REGISTRY.write],
)
async def close_cell(cell_id: CellPath, services: Services) -> CellDescription:
    """Let no organisation into a cell any more, and have those in it moved to the others, a few at a time.

    They go on working all the while. A schedule moves them; the list of cells tells how many are left, and says
    `closed` when the cell is empty. Asked again, it changes nothing.

    Raises: CellNotFoundError; LastOpenCellError when no other cell takes in organisations; CellBusyError.
    """
    return await services.cells.described(await services.cells.membership.close(cell_id))
