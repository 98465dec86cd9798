"""Hand an organisation over (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.bodies import Description
from shared.operations.capabilities import IDENTITY, MEMBERSHIPS
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import MemberDescription
from shared.tenancy.requests import TransferOwnershipRequest


class TransferredOwnership(Description):
    """The new owner, and the caller as they are now."""

    owner: MemberDescription
    former_owner: MemberDescription


@operation(
    "POST /ownership-transfers",
    permission=Permission.MEMBER_WRITE,
    rate_class=RateClass.WRITE,
    sets=["user_id"],
    uses=[IDENTITY.read, IDENTITY.write, MEMBERSHIPS.replace],
)
async def transfer_ownership(
    request: TransferOwnershipRequest, caller: Caller, services: Services
) -> TransferredOwnership:
    """Make another member an owner in the caller's place, who becomes a maintainer: both or neither.

    Raises: MemberNotFoundError, GrantBeyondCallerError, TenantNotFoundError, ChangedMeanwhileError.
    """
    received, given = await services.tenancy.members.transfer_ownership(caller, request.user_id)
    return TransferredOwnership(owner=MemberDescription.of(received), former_owner=MemberDescription.of(given))
