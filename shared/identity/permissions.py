"""Roles and their permissions, as data (T3). Each operation names one permission; nothing else grants anything."""

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """What an operation may require of its caller."""

    KNOWLEDGE_BASE_READ = "knowledge-base:read"
    KNOWLEDGE_BASE_WRITE = "knowledge-base:write"
    DOCUMENT_READ = "document:read"
    DOCUMENT_WRITE = "document:write"
    SEARCH = "search"


class Role(StrEnum):
    OWNER = "owner"
    MAINTAINER = "maintainer"
    REVIEWER = "reviewer"
    VIEWER = "viewer"


_READING = frozenset({Permission.KNOWLEDGE_BASE_READ, Permission.DOCUMENT_READ, Permission.SEARCH})

PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission),
    Role.MAINTAINER: _READING | {Permission.KNOWLEDGE_BASE_WRITE, Permission.DOCUMENT_WRITE},
    Role.REVIEWER: _READING,
    Role.VIEWER: _READING,
}


def is_permitted(role: Role, permission: Permission) -> bool:
    """Answer whether `role` holds `permission`; what is not listed is denied."""
    return permission in PERMISSIONS.get(role, frozenset())
