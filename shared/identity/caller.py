"""Who a verified request comes from."""

from dataclasses import dataclass

from shared.identity.permissions import Permission, Role, is_permitted
from shared.kernel.bodies import Description
from shared.kernel.ids import ApiKeyId, SessionId, TenantId, UserId, WorkspaceId
from shared.tenancy.plans import STARTER, Figures


@dataclass(frozen=True, slots=True)
class Caller:
    """Tenant, user and role as verified credentials state them; never taken from a body, path or header (invariant 4).

    A caller with an API key acts for the `user` who created it, within the key's `permissions` and `workspaces`; None
    means no narrowing. `figures` are the limits of the tenant's plan, with its overrides, as of authentication.
    `session` is what an access token says that it was made in; whoever authenticates looks whether that still goes on.
    """

    tenant: TenantId
    user: UserId
    role: Role
    key_id: ApiKeyId | None = None
    permissions: frozenset[Permission] | None = None
    workspaces: frozenset[WorkspaceId] | None = None
    figures: Figures = STARTER
    session: SessionId | None = None

    @property
    def principal(self) -> str:
        """Who a request is counted against: the key, or the user."""
        return self.key_id or self.user

    def holds(self, permission: Permission) -> bool:
        """Answer whether the role holds `permission` and the credentials were not narrowed below it."""
        return is_permitted(self.role, permission) and (self.permissions is None or permission in self.permissions)

    def reaches(self, workspace: WorkspaceId) -> bool:
        """Answer whether what belongs to `workspace` is within these credentials."""
        return self.workspaces is None or workspace in self.workspaces


class CallerDescription(Description):
    """Who calls. `permissions` are what role and credentials both allow; without `workspaces` all are within."""

    tenant: TenantId
    user: UserId
    role: Role
    api_key: ApiKeyId | None
    permissions: list[Permission]
    workspaces: list[WorkspaceId] | None

    @classmethod
    def of(cls, caller: Caller) -> "CallerDescription":
        return cls(
            tenant=caller.tenant,
            user=caller.user,
            role=caller.role,
            api_key=caller.key_id,
            permissions=[permission for permission in sorted(Permission) if caller.holds(permission)],
            workspaces=None if caller.workspaces is None else sorted(caller.workspaces),
        )
