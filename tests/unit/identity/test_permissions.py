"""Roles and what they may do (T3): the whole table, written out once more by hand."""

import pytest

from shared.identity.permissions import MEMBER_ROLES, Permission, Role, is_permitted

OWNERS = {Role.OWNER}
WRITERS = {Role.OWNER, Role.MAINTAINER}
READERS_OF_ALL = {Role.OWNER, Role.MAINTAINER, Role.REVIEWER}
MEMBERS = set(MEMBER_ROLES)
EXPECTED = {
    Permission.ACCOUNT: set(Role),
    Permission.API_KEY_WRITE: WRITERS,
    Permission.AUDIT_READ: OWNERS,
    Permission.CALLER_READ: set(Role),
    Permission.DOCUMENT_READ: MEMBERS,
    Permission.DOCUMENT_WRITE: WRITERS,
    Permission.IDENTITY_PROVIDER_WRITE: OWNERS,
    Permission.KNOWLEDGE_BASE_READ: MEMBERS,
    Permission.KNOWLEDGE_BASE_WRITE: WRITERS,
    Permission.MEMBER_READ: READERS_OF_ALL,
    Permission.MEMBER_WRITE: OWNERS,
    Permission.SEARCH: MEMBERS,
    Permission.SECURITY_READ: OWNERS,
    Permission.TENANT_OPERATE: {Role.OPERATOR},
    Permission.TENANT_READ: MEMBERS,
    Permission.TENANT_WRITE: OWNERS,
    Permission.WORKSPACE_READ: MEMBERS,
    Permission.WORKSPACE_WRITE: WRITERS,
}


def test_no_permission_is_forgotten() -> None:
    assert set(EXPECTED) == set(Permission)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_role_holds_exactly_its_permissions(role: Role, permission: Permission) -> None:
    assert is_permitted(role, permission) == (role in EXPECTED[permission])
