"""Create an organisation for somebody else (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.bodies import Description
from shared.kernel.ids import IdempotencyKey
from shared.operations.capabilities import CELL_REGISTRY, CELLS, IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import IssuedInvitation, TenantDescription
from shared.tenancy.requests import CreateTenantRequest
from shared.tenancy.tenants import tenant_id_of


class CreatedTenant(Description):
    """A new organisation without members, and the invitation of its first owner."""

    tenant: TenantDescription
    owner: IssuedInvitation


@operation(
    "POST /tenants",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    status=201,
    sets=("owner_email", "plan"),
    uses=[
        IDENTITY.read,
        IDENTITY.write,
        CELLS.read,
        CELLS.write,
        CELL_REGISTRY.read,
        CELL_REGISTRY.write,
    ],
    across_tenants="operators, in their own organisation, make another one",
)
async def create_tenant(
    request: CreateTenantRequest, caller: Caller, services: Services, idempotency_key: IdempotencyKey | None = None
) -> CreatedTenant:
    """Create an organisation on a plan and invite its first owner. The invitation's token is shown this once.

    Repeated with the same Idempotency-Key, it answers with the same organisation and another token, as good as the
    first.

    Raises: IdempotencyKeyReusedError, InvitationNotFoundError, TenantNotFoundError, ChangedMeanwhileError.
    """
    chosen = await services.tenancy.repeated_requests.choose_id(
        caller, "tn", idempotency_key, request.model_dump_json()
    )
    tenant, invitation, token = await services.tenancy.operating.create(
        tenant_id_of(chosen), request.organisation_name, request.plan, request.owner_email, caller.user
    )
    await services.cells.place(tenant.tenant)
    now = services.tenancy.clock.now()
    return CreatedTenant(tenant=TenantDescription.of(tenant, now), owner=IssuedInvitation.of(invitation, token, now))
