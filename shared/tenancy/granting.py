"""What a caller may hand out to others: never more than they hold themselves (T3).

A person who signed in as an owner holds all that a role could give. An API key, or whoever is limited to some
workspaces, does not: without this rule it could invite an owner, and be whatever it was kept from being.
"""

from collections.abc import Collection

from shared.identity.caller import Caller
from shared.identity.permissions import PERMISSIONS, Role
from shared.kernel.ids import WorkspaceId
from shared.tenancy.errors import GrantBeyondCallerError


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
