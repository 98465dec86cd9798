"""Join an organisation (T1)."""

from shared.composition.services import Services
from shared.identity.permissions import Role
from shared.kernel.bodies import Description
from shared.kernel.ids import IdempotencyKey, TenantId, UserId
from shared.operations.capabilities import ACCOUNTS, IDENTITY, NOBODY
from shared.operations.declaration import RateClass, public_operation
from shared.tenancy.requests import AcceptInvitationRequest
from shared.tenancy.strangers import stranger_of_invitation


class Joined(Description):
    """Where one can sign in now, and as what."""

    tenant_id: TenantId
    tenant_name: str
    user_id: UserId
    role: Role


@public_operation(
    "POST /invitation-acceptances",
    rate_class=RateClass.SIGN_IN,
    status=201,
    uses=[
        IDENTITY.read,
        IDENTITY.write,
        ACCOUNTS.read,
        ACCOUNTS.write,
        NOBODY.write,
    ],
    across_tenants="the invitation says into which organisation it leads",
    memory_mb=512,
    timeout_s=10,
)
async def accept_invitation(
    request: AcceptInvitationRequest, services: Services, idempotency_key: IdempotencyKey | None = None
) -> Joined:
    """Join the organisation that sent the invitation, once; with a new account, or with the one of that address.

    A token that is made up, expired, revoked or used gets the same answer. Repeated with the same Idempotency-Key, an
    acceptance is answered again.

    Raises: InvalidInvitationError, WeakPasswordError, OtherPasswordError, SignInLockedError, AlreadyMemberError,
    IdempotencyKeyReusedError, ChangedMeanwhileError.
    """
    joining = services.tenancy.joining
    invitation = await joining.read(request.token)
    acceptance = await services.tenancy.repeated_requests.choose_id(
        stranger_of_invitation(invitation), "acc", idempotency_key, request.display_name
    )
    tenant, member = await joining.accept(invitation, acceptance, request.display_name, request.password)
    return Joined(tenant_id=tenant.tenant, tenant_name=tenant.name, user_id=member.user_id, role=member.role)
