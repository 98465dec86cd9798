"""Limit a member to workspaces (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY, MEMBERSHIPS
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import MemberDescription
from shared.tenancy.requests import ChangeMemberWorkspacesRequest, UserPath


@operation(
    "PUT /members/{user_id}/workspaces",
    permission=Permission.MEMBER_WRITE,
    rate_class=RateClass.WRITE,
    uses=[IDENTITY.read, IDENTITY.write, MEMBERSHIPS.replace],
)
async def change_member_workspaces(
    user_id: UserPath, request: ChangeMemberWorkspacesRequest, caller: Caller, services: Services
) -> MemberDescription:
    """Limit a member to some workspaces, or let them reach all of them; it holds within a minute.

    Raises: MemberNotFoundError, GrantBeyondCallerError, OwnerLimitedError, WorkspaceNotFoundError, TenantNotFoundError,
    ChangedMeanwhileError.
    """
    member = await services.tenancy.members.change_workspaces(caller, user_id, request.workspaces)
    return MemberDescription.of(member)
