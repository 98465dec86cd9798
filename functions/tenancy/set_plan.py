"""Put an organisation on a plan (T1)."""

from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import TenantDescription
from shared.tenancy.requests import SetPlanRequest, TenantPath


@operation(
    "PUT /tenants/{tenant_id}/plan",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    sets=("plan",),
    uses=[IDENTITY.read, IDENTITY.write],
)
async def set_plan(tenant_id: TenantPath, request: SetPlanRequest, services: Services) -> TenantDescription:
    """Put an organisation on the latest version of a plan; overrides of single figures stay.

    Raises: TenantNotFoundError, ChangedMeanwhileError.
    """
    tenant = await services.tenancy.operating.set_plan(tenant_id, request.plan)
    return TenantDescription.of(tenant, services.tenancy.clock.now())
