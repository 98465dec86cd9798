"""Open a closed organisation again (T1)."""

from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import TenantDescription
from shared.tenancy.requests import TenantPath


@operation(
    "DELETE /tenants/{tenant_id}/suspension",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def resume_tenant(tenant_id: TenantPath, services: Services) -> TenantDescription:
    """Let the members of a suspended organisation in again.

    Raises: TenantNotFoundError, ChangedMeanwhileError.
    """
    tenant = await services.tenancy.operating.resume(tenant_id)
    return TenantDescription.of(tenant, services.tenancy.clock.now())
