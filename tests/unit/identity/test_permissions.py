"""Roles and what they may do (T3): the whole table, written out once more by hand."""

import pytest

from shared.identity.permissions import Permission, Role, is_permitted

WRITERS = {Role.OWNER, Role.MAINTAINER}
EVERYBODY = set(Role)
EXPECTED = {
    Permission.KNOWLEDGE_BASE_READ: EVERYBODY,
    Permission.KNOWLEDGE_BASE_WRITE: WRITERS,
    Permission.DOCUMENT_READ: EVERYBODY,
    Permission.DOCUMENT_WRITE: WRITERS,
    Permission.SEARCH: EVERYBODY,
}


def test_no_permission_is_forgotten() -> None:
    assert set(EXPECTED) == set(Permission)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_role_holds_exactly_its_permissions(role: Role, permission: Permission) -> None:
    assert is_permitted(role, permission) == (role in EXPECTED[permission])
