import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity.caller import Caller
from shared.identity.permissions import MEMBER_ROLES, PERMISSIONS, Permission, Role
from shared.kernel.ids import ApiKeyId, TenantId, UserId, WorkspaceId
from shared.tenancy.errors import GrantBeyondCallerError
from shared.tenancy.granting import check_grant

SALES, SUPPORT = WorkspaceId("ws_" + "1" * 26), WorkspaceId("ws_" + "2" * 26)
WORKSPACES = st.none() | st.frozensets(st.sampled_from([SALES, SUPPORT]), min_size=1)


def caller_of(role=Role.OWNER, **narrowed):
    return Caller(TenantId("tn-1"), UserId("usr_1"), role, **narrowed)


def may_grant(caller, role, workspaces=None):
    try:
        check_grant(caller, role, workspaces)
    except GrantBeyondCallerError:
        return False
    return True


@pytest.mark.parametrize("role", MEMBER_ROLES)
def test_owner_grants_every_role_of_members(role):
    assert may_grant(caller_of(), role)


@pytest.mark.parametrize("role", Role)
def test_nobody_grants_what_runs_the_deployment(role):
    assert may_grant(caller_of(role), Role.OPERATOR) == (role is Role.OPERATOR)


def test_key_for_members_alone_makes_no_owner_of_whoever_holds_it():
    key = caller_of(key_id=ApiKeyId("key_1"), permissions=frozenset({Permission.MEMBER_READ, Permission.MEMBER_WRITE}))

    assert not any(may_grant(key, role) for role in MEMBER_ROLES)


def test_whoever_is_limited_grants_nothing_beyond():
    limited = caller_of(workspaces=frozenset({SALES}))

    assert may_grant(limited, Role.VIEWER, frozenset({SALES}))
    assert not may_grant(limited, Role.VIEWER, frozenset({SALES, SUPPORT}))
    assert not may_grant(limited, Role.VIEWER, None)


@given(
    role=st.sampled_from(Role),
    permissions=st.none() | st.frozensets(st.sampled_from(Permission)),
    reach=WORKSPACES,
    granted=st.sampled_from(Role),
    workspaces=WORKSPACES,
)
def test_what_was_granted_is_never_more_than_what_its_giver_has(role, permissions, reach, granted, workspaces):
    giver = caller_of(role, permissions=permissions, workspaces=reach)
    receiver = caller_of(granted, workspaces=workspaces)

    if may_grant(giver, granted, workspaces):
        assert all(giver.holds(permission) for permission in PERMISSIONS[granted])
        assert all(giver.reaches(place) for place in (SALES, SUPPORT) if receiver.reaches(place))
