"""Ask somebody to join (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import IdempotencyKey, InvitationId
from shared.operations.capabilities import ACCOUNTS, IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import IssuedInvitation
from shared.tenancy.requests import InviteMemberRequest


@operation(
    "POST /invitations",
    permission=Permission.MEMBER_WRITE,
    rate_class=RateClass.WRITE,
    status=201,
    sets=("role",),
    uses=[IDENTITY.read, IDENTITY.write, ACCOUNTS.read],
)
async def invite_member(
    request: InviteMemberRequest, caller: Caller, services: Services, idempotency_key: IdempotencyKey | None = None
) -> IssuedInvitation:
    """Invite somebody. Whoever holds the token can join in their name; it is shown this once and good for seven days.

    Repeated with the same Idempotency-Key, it answers with the same invitation and another token, as good as the first.

    Raises: GrantBeyondCallerError, OwnerLimitedError, WorkspaceNotFoundError, AlreadyMemberError,
    IdempotencyKeyReusedError, InvitationNotFoundError, ChangedMeanwhileError.
    """
    # The order of a set is nobody's choice; the same request must read the same each time.
    workspaces = None if request.workspaces is None else ",".join(sorted(request.workspaces))
    invitation_id = await services.tenancy.repeated_requests.choose_id(
        caller, "inv", idempotency_key, request.email, request.role, workspaces
    )
    invitation, token = await services.tenancy.invitations.invite(
        caller, InvitationId(invitation_id), request.email, request.role, request.workspaces
    )
    return IssuedInvitation.of(invitation, token, services.tenancy.clock.now())
