"""Give up the move of an organisation (T6)."""

from shared.cells.descriptions import PlacementDescription
from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import CELL_REGISTRY, CELLS, IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.requests import TenantPath


@operation(
    "DELETE /tenants/{tenant_id}/move",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    uses=[CELLS.read, CELLS.write, CELL_REGISTRY.read, CELL_REGISTRY.write, IDENTITY.read],
)
async def cancel_tenant_move(tenant_id: TenantPath, services: Services) -> PlacementDescription:
    """Leave an organisation where it is; what was copied of it is erased. Asked again, it changes nothing.

    Raises: TenantNotFoundError; InvalidMoveError when nothing moves, or the other cell has taken over already: then
    the move is finished, and the organisation moved back.
    """
    await services.tenancy.tenants.get(tenant_id)
    return PlacementDescription.of(await services.cells.moves.cancel(tenant_id))
