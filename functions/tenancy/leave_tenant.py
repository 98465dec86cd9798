"""Leave one's organisation (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY, MEMBERSHIPS
from shared.operations.declaration import RateClass, operation


@operation(
    "DELETE /membership",
    permission=Permission.ACCOUNT,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[IDENTITY.read, IDENTITY.write, MEMBERSHIPS.replace],
)
async def leave_tenant(caller: Caller, services: Services) -> None:
    """Take the caller out of their organisation; its last owner stays.

    Raises: MemberNotFoundError, GrantBeyondCallerError, LastOwnerError, TenantNotFoundError, ChangedMeanwhileError.
    """
    await services.tenancy.members.leave(caller)
