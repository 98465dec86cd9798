"""Say in which cell an organisation is, and how far its move has come (T6)."""

from shared.cells.descriptions import PlacementDescription
from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import CELLS, IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.requests import TenantPath


@operation(
    "GET /tenants/{tenant_id}/placement",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.READ,
    uses=[CELLS.read, IDENTITY.read],
)
async def get_tenant_placement(tenant_id: TenantPath, services: Services) -> PlacementDescription:
    """Return the cell of an organisation's chunks and its last move: state, counts and percent.

    Raises: TenantNotFoundError.
    """
    await services.tenancy.tenants.get(tenant_id)
    return PlacementDescription.of(await services.cells.moves.placement(tenant_id))
