"""Take an invitation back (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import InvitationId
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation


@operation(
    "DELETE /invitations/{invitation_id}",
    permission=Permission.MEMBER_WRITE,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def revoke_invitation(invitation_id: InvitationId, caller: Caller, services: Services) -> None:
    """Make an invitation worthless at once.

    Raises: InvitationNotFoundError, InvitationClosedError, GrantBeyondCallerError, ChangedMeanwhileError.
    """
    await services.tenancy.invitations.revoke(caller, invitation_id)
