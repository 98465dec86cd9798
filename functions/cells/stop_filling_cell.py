"""Give up filling a cell (T6)."""

from shared.cells.descriptions import CellDescription, CellPath
from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import CELL_REGISTRY
from shared.operations.declaration import RateClass, operation


@operation(
    "DELETE /cells/{cell_id}/filling",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    uses=[CELL_REGISTRY.read, CELL_REGISTRY.write],
)
async def stop_filling_cell(cell_id: CellPath, services: Services) -> CellDescription:
    """Have no more organisations of other cells moved into a cell. Moves that have begun are finished.

    Asked again, it changes nothing.

    Raises: CellNotFoundError, CellBusyError.
    """
    return await services.cells.described(await services.cells.membership.stop_filling(cell_id))
