"""Give a new cell its share of the organisations (T6)."""

from shared.cells.descriptions import CellDescription, CellPath
from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import CELL_REGISTRY
from shared.operations.declaration import RateClass, operation


@operation(
    "PUT /cells/{cell_id}/filling",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    uses=[CELL_REGISTRY.read, CELL_REGISTRY.write],
)
async def fill_cell(cell_id: CellPath, services: Services) -> CellDescription:
    """Have organisations of other cells moved into a cell until it has its share by weight, a few at a time.

    They come from whichever cell is fullest, those first that suit this one most; nobody moves between other cells. The
    list of cells tells how many are to come; then the cell is `open` as all others. Asked again, it changes nothing.

    Raises: CellNotFoundError; CellClosedError for a cell that is emptied; CellBusyError.
    """
    return await services.cells.described(await services.cells.membership.fill(cell_id))
