"""Let organisations into a cell again (T6)."""

from shared.cells.descriptions import CellDescription, CellPath
from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import CELL_REGISTRY
from shared.operations.declaration import RateClass, operation


@operation(
    "DELETE /cells/{cell_id}/closing",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    uses=[CELL_REGISTRY.read, CELL_REGISTRY.write],
)
async def reopen_cell(cell_id: CellPath, services: Services) -> CellDescription:
    """Take back that a cell is emptied: it takes in organisations again, and nobody else has to leave it.

    Moves that have begun are finished, unless each is given up. Who has left stays away. Asked again, it changes
    nothing.

    Raises: CellNotFoundError, CellBusyError.
    """
    return await services.cells.described(await services.cells.membership.reopen(cell_id))
