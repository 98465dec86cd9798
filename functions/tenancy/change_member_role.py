"""Change a member's role (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY, MEMBERSHIPS
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import MemberDescription
from shared.tenancy.requests import ChangeMemberRoleRequest, UserPath


@operation(
    "PUT /members/{user_id}/role",
    permission=Permission.MEMBER_WRITE,
    rate_class=RateClass.WRITE,
    sets=("role",),
    uses=[IDENTITY.read, IDENTITY.write, MEMBERSHIPS.replace],
)
async def change_member_role(
    user_id: UserPath, request: ChangeMemberRoleRequest, caller: Caller, services: Services
) -> MemberDescription:
    """Give a member another role; tokens of the old one are refused within a minute.

    One who becomes an owner reaches all workspaces; the last owner stays one.

    Raises: MemberNotFoundError, GrantBeyondCallerError, LastOwnerError, TenantNotFoundError, ChangedMeanwhileError.
    """
    return MemberDescription.of(await services.tenancy.members.change_role(caller, user_id, request.role))
