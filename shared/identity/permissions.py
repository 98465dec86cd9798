"""Roles and their permissions, as data (T3). Each operation names one permission; nothing else grants anything."""

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """What an operation may require of its caller."""

    ACCOUNT = "account"
    """One's own account: change the password, end sessions, leave."""
    API_KEY_WRITE = "api-key:write"
    AUDIT_READ = "audit:read"
    """Who did what in the organisation: list, export and verify its audit log."""
    CALLER_READ = "caller:read"
    """Who am I, and what may I do."""
    DOCUMENT_READ = "document:read"
    DOCUMENT_WRITE = "document:write"
    IDENTITY_PROVIDER_WRITE = "identity-provider:write"
    KNOWLEDGE_BASE_READ = "knowledge-base:read"
    KNOWLEDGE_BASE_WRITE = "knowledge-base:write"
    MEMBER_READ = "member:read"
    MEMBER_WRITE = "member:write"
    SEARCH = "search"
    SECURITY_READ = "security:read"
    TENANT_OPERATE = "tenant:operate"
    """Create tenants and set their plans: for those who run the deployment, across tenants; no tenant's data."""
    TENANT_READ = "tenant:read"
    TENANT_WRITE = "tenant:write"
    WORKSPACE_READ = "workspace:read"
    WORKSPACE_WRITE = "workspace:write"


class Role(StrEnum):
    OWNER = "owner"
    MAINTAINER = "maintainer"
    REVIEWER = "reviewer"
    VIEWER = "viewer"
    OPERATOR = "operator"
    """Runs the deployment. Held in the operators' own tenant only; no invitation can give it."""


MEMBER_ROLES: Final = (Role.OWNER, Role.MAINTAINER, Role.REVIEWER, Role.VIEWER)
"""The roles that a member of an ordinary tenant can have."""

_READING: Final = frozenset(
    {
        Permission.ACCOUNT,
        Permission.CALLER_READ,
        Permission.DOCUMENT_READ,
        Permission.KNOWLEDGE_BASE_READ,
        Permission.SEARCH,
        Permission.TENANT_READ,
        Permission.WORKSPACE_READ,
    }
)

PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission) - {Permission.TENANT_OPERATE},
    Role.MAINTAINER: _READING
    | {
        Permission.API_KEY_WRITE,
        Permission.DOCUMENT_WRITE,
        Permission.KNOWLEDGE_BASE_WRITE,
        Permission.MEMBER_READ,
        Permission.WORKSPACE_WRITE,
    },
    Role.REVIEWER: _READING | {Permission.MEMBER_READ},
    Role.VIEWER: _READING,
    Role.OPERATOR: frozenset({Permission.ACCOUNT, Permission.CALLER_READ, Permission.TENANT_OPERATE}),
}


def is_permitted(role: Role, permission: Permission) -> bool:
    """Answer whether `role` holds `permission`; what is not listed is denied."""
    return permission in PERMISSIONS.get(role, frozenset())
