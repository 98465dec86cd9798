"""Remove a member (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY, MEMBERSHIPS
from shared.operations.declaration import RateClass, operation
from shared.tenancy.requests import UserPath


@operation(
    "DELETE /members/{user_id}",
    permission=Permission.MEMBER_WRITE,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[IDENTITY.read, IDENTITY.write, MEMBERSHIPS.replace],
)
async def remove_member(user_id: UserPath, caller: Caller, services: Services) -> None:
    """Let a member in no more: their sessions and the keys that they made are refused within a minute.

    Raises: MemberNotFoundError, GrantBeyondCallerError, LastOwnerError, TenantNotFoundError, ChangedMeanwhileError.
    """
    await services.tenancy.members.remove(caller, user_id)
