"""Return to the plan's figure (T1)."""

from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import TenantDescription
from shared.tenancy.requests import FigurePath, TenantPath


@operation(
    "DELETE /tenants/{tenant_id}/overrides/{figure}",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def remove_override(tenant_id: TenantPath, figure: FigurePath, services: Services) -> TenantDescription:
    """End an override before its time; it ends within a minute.

    Raises: OverrideNotFoundError, TenantNotFoundError, ChangedMeanwhileError.
    """
    tenant = await services.tenancy.operating.remove_override(tenant_id, figure)
    return TenantDescription.of(tenant, services.tenancy.clock.now())
