"""Begin to move an organisation to another cell, or into an index of its own (T5, T6)."""

from shared.cells.descriptions import MoveRequest, PlacementDescription
from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import CELL_REGISTRY, CELLS, IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.requests import TenantPath


@operation(
    "PUT /tenants/{tenant_id}/move",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    uses=[CELLS.read, CELLS.write, CELL_REGISTRY.read, CELL_REGISTRY.write, IDENTITY.read],
)
async def start_tenant_move(tenant_id: TenantPath, request: MoveRequest, services: Services) -> PlacementDescription:
    """Have an organisation's chunks moved while it goes on working; a schedule does it, and the placement tells of it.

    Asked again for the same, or for where the organisation is, it changes nothing.

    Raises: TenantNotFoundError, CellNotFoundError; CellClosedError for a cell that is emptied; InvalidMoveError while
    it is being moved elsewhere, or a move of it is being given up.
    """
    await services.tenancy.tenants.get(tenant_id)
    return PlacementDescription.of(await services.cells.moves.start(tenant_id, request.to_place()))
