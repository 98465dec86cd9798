"""Rename one's own organisation (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import TenantDescription
from shared.tenancy.requests import UpdateTenantRequest


@operation(
    "PATCH /tenant",
    permission=Permission.TENANT_WRITE,
    rate_class=RateClass.WRITE,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def update_tenant(request: UpdateTenantRequest, caller: Caller, services: Services) -> TenantDescription:
    """Give the caller's organisation another name.

    Raises: TenantNotFoundError, ChangedMeanwhileError.
    """
    tenant = await services.tenancy.tenants.rename(caller.tenant, request.name)
    return TenantDescription.of(tenant, services.tenancy.clock.now())
