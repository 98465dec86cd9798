"""The committed table of operations and roles, executed: every cell, with tokens and with narrowed API keys (T3).

A cell says yes when a request gets past the permission check. What it asks for is unfit or unknown, so that no cell
changes what another one finds.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.identity.api_keys import KEY_PERMISSIONS, Scope
from shared.identity.authentication import REMEMBERED_FOR
from shared.identity.permissions import MEMBER_ROLES, Role, is_permitted
from shared.kernel.ids import TenantId
from shared.tenancy.ports import Put
from tests.api.declared import ROUTES as DECLARED
from tests.api.declared import path_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
ROUTES = {name: route for name, (_, route) in DECLARED.items()}
UNFIT = {"no such field": True}


def committed_table():
    """Return, by operation and role, what the page says: whether the role may call it."""
    lines = PAGE.read_text(encoding="utf-8").partition("## Who may call what")[2].partition("##")[0].splitlines()
    rows = [[cell.strip().strip("`") for cell in line.strip("| ").split(" | ")] for line in lines if "|" in line]
    header, _, *cells = rows
    assert header[:2] == ["Operation", "Permission"]
    return {row[0]: dict(zip(header[2:], row[2:], strict=True)) for row in cells}


TABLE = committed_table()


def test_table_has_every_operation_and_every_role():
    assert set(TABLE) == set(ROUTES)
    assert {role.value.capitalize() for role in Role} == set().union(*(set(row) for row in TABLE.values()))
    assert {cell for row in TABLE.values() for cell in row.values()} == {"yes", "no"}


async def gets_past(client, name, headers):
    """Answer whether a request with these headers is let through to the operation."""
    route = ROUTES[name]
    body = UNFIT if route.method in {"POST", "PUT", "PATCH"} else None
    response = await client.request(route.method, path_of(name), headers=headers, json=body)
    if response.status_code in (401, 403):
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] != "unauthenticated", name
        return response.json()["code"] != "forbidden"
    assert response.status_code < 500, response.text
    return True


@pytest.mark.parametrize("name", ROUTES)
async def test_tokens_of_each_role_get_where_the_table_says(acme, name):
    executed = {
        role.value.capitalize(): "yes" if await gets_past(acme.client, name, acme.headers(role)) else "no"
        for role in Role
    }

    assert executed == TABLE[name]


async def create_key(tenant, role=Role.OWNER, **body):
    response = await tenant.send("POST", "/api-keys", role, json={"name": "machine", **body})
    assert response.status_code == 201, response.text
    return {"authorization": f"Bearer {response.json()['api_key']}"}


async def reached_with(tenant, headers):
    return {name for name, route in ROUTES.items() if await gets_past(tenant.client, name, headers)}


def open_to(*permissions):
    """Return the operations that ask for one of `permissions`, or for none at all."""
    return {name for name, route in ROUTES.items() if route.permission is None or route.permission in permissions}


@pytest.mark.parametrize("permission", sorted(KEY_PERMISSIONS))
async def test_key_of_one_permission_gets_where_that_one_leads(acme, permission):
    headers = await create_key(acme, permissions=[permission])

    assert await reached_with(acme, headers) == open_to(permission)


@pytest.mark.parametrize("role", [Role.OWNER, Role.MAINTAINER])
async def test_widest_key_gets_nowhere_where_access_is_given(acme, role):
    headers = await create_key(acme, role, scope=Scope.ADMIN)

    reached = await reached_with(acme, headers)

    assert reached == open_to(*KEY_PERMISSIONS)
    assert reached.isdisjoint(
        {"create_api_key", "revoke_api_key", "invite_member", "change_member_role", "remove_member", "leave_tenant"}
        | {"transfer_ownership", "update_tenant", "change_password", "end_all_sessions", "create_identity_provider"}
    )


@pytest.mark.parametrize("role", MEMBER_ROLES)
async def test_widest_key_gets_only_where_its_creator_may_go_now(acme, people, clock, role):
    headers = await create_key(acme, Role.MAINTAINER, scope=Scope.ADMIN)
    member = await people.records.member(TenantId(acme.id), "ada@example.maintainer")
    await people.records.commit(TenantId(acme.id), [Put(replace(member, role=role))])
    clock.ahead = REMEMBERED_FOR

    reached = await reached_with(acme, headers)

    assert reached == open_to(*(permission for permission in KEY_PERMISSIONS if is_permitted(role, permission)))
