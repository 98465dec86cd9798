"""What a caller may hand out to others: never more than they hold themselves (T3).

A person who signed in as an owner holds all that a role could give. An API key, or whoever is limited to some
workspaces, does not: without this rule it could invite an owner, and be whatever it was kept from being.

Credentials work for up to a minute after they were taken away. What is read in that minute ends with it; a place that
is given away would last, so whoever gives places must be an owner on the organisation's record, at that moment.
"""

from collections.abc import Collection

from shared.identity.caller import Caller
from shared.identity.permissions import PERMISSIONS, Role
from shared.kernel.ids import WorkspaceId
from shared.tenancy.errors import GrantBeyondCallerError
from shared.tenancy.models import OPERATORS, Invitation, Tenant


def check_grant(caller: Caller, role: Role, workspaces: Collection[WorkspaceId] | None) -> None:
    """Accept that `caller` gives, changes or takes away this place. `workspaces` None means all of them.

    Raises: GrantBeyondCallerError.
    """
    held = all(caller.holds(permission) for permission in PERMISSIONS[role])
    reached = caller.workspaces is None if workspaces is None else all(map(caller.reaches, workspaces))
    if not held or not reached:
        raise GrantBeyondCallerError(
            f"These credentials do not reach as far as a {role.value} there. Sign in as an owner to do this.",
            role=role.value,
        )


def check_owner(caller: Caller, tenant: Tenant | None) -> None:
    """Accept that `caller` decides over places now, by the organisation's record. Raises: GrantBeyondCallerError."""
    if tenant is None or caller.user not in tenant.owners:
        raise GrantBeyondCallerError("Only an owner decides this. Ask one of your organisation.")


def is_backed(invitation: Invitation, tenant: Tenant) -> bool:
    """Answer whether whoever invited may still do so: what an owner promised ends with the ownership.

    Operators are invited from the AWS account, and the first owner of an organisation by an operator.
    """
    if tenant.tenant == OPERATORS:
        return True
    if not tenant.owners:
        return invitation.role is Role.OWNER
    return invitation.invited_by in tenant.owners
