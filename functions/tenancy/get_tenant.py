"""Look at one's own organisation (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import TenantDescription


@operation(
    "GET /tenant",
    permission=Permission.TENANT_READ,
    rate_class=RateClass.READ,
    uses=[IDENTITY.read],
)
async def get_tenant(caller: Caller, services: Services) -> TenantDescription:
    """Describe the caller's organisation: its plan, and its limits as they are now.

    Raises: TenantNotFoundError.
    """
    tenant = await services.tenancy.tenants.get(caller.tenant)
    return TenantDescription.of(tenant, services.tenancy.clock.now())
