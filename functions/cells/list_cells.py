"""List the cells of the deployment (T6)."""

from shared.cells.descriptions import CellDescription
from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.kernel.bodies import Description
from shared.operations.capabilities import CELL_REGISTRY
from shared.operations.declaration import RateClass, operation


class CellList(Description):
    """All cells; there are never more than a page of them."""

    items: list[CellDescription]


@operation(
    "GET /cells",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.READ,
    uses=[CELL_REGISTRY.read],
)
async def list_cells(services: Services) -> CellList:
    """List the cells in which tenants' chunks are: how each was when it was last looked at, and how many it holds.

    Of one that is emptied or filled it says how many have still to leave, or to come, and what keeps them from it.
    A cell that was deployed a moment ago may be missing.
    """
    cells, held = await services.cells.overview()
    return CellList(items=[CellDescription.of(cell, *held(cell.cell_id)) for cell in cells])
