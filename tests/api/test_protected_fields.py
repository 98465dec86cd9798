"""No request can say who somebody is or what they may use, unless its operation is there for just that (T3, T4)."""

import re
from dataclasses import fields
from typing import Any

import pytest

from shared.identity.permissions import Permission, Role
from shared.operations.capabilities import IDENTITY, METADATA
from shared.tenancy.plans import Figures
from tests.api.declared import ROUTES, objects_of, parameters_of, path_of
from tests.api.tenants import problem_of

PROTECTED_WORDS = {"tenant", "role", "plan", "quota", "figures", "user", "owner", "permission", "permissions"}
FIGURE_NAMES = {field.name for field in fields(Figures)}

SETTERS = {
    # operation: what its body may set, and the permission that this takes
    "change_member_role": ({"role"}, Permission.MEMBER_WRITE),
    "create_api_key": ({"permissions"}, Permission.API_KEY_WRITE),
    "create_identity_provider": ({"default_role"}, Permission.IDENTITY_PROVIDER_WRITE),
    "create_tenant": ({"owner_email", "plan"}, Permission.TENANT_OPERATE),
    "invite_member": ({"role"}, Permission.MEMBER_WRITE),
    "set_plan": ({"plan"}, Permission.TENANT_OPERATE),
    "sign_in": ({"tenant"}, None),
    "start_oidc_sign_in": ({"tenant"}, None),
    "transfer_ownership": ({"user_id"}, Permission.MEMBER_WRITE),
}
"""All that there are, written out by hand: another one deserves a look. Who signs in only says where they belong."""


def is_protected(name: str) -> bool:
    return name in FIGURE_NAMES or not PROTECTED_WORDS.isdisjoint(re.split(r"[^a-z]+", name.lower()))


PLACES = [
    (name, path) for name, (operation, _) in ROUTES.items() for path, _ in objects_of(operation)
]  # fmt: skip


@pytest.mark.parametrize("name", ROUTES)
def test_only_what_is_declared_names_protected_fields(name):
    operation, route = ROUTES[name]
    in_body = {field for _, schema in objects_of(operation) for field in schema["properties"]}

    assert {field for field in in_body if is_protected(field)} == set(route.sets)
    assert not {field for field in parameters_of(operation, route) if is_protected(field)}


def test_declared_setters_are_those_that_were_looked_at():
    declared = {name: (set(route.sets), route.permission) for name, (_, route) in ROUTES.items() if route.sets}

    assert declared == SETTERS


@pytest.mark.parametrize("name", [name for name, (_, route) in ROUTES.items() if "{tenant_id}" in route.path])
def test_tenant_in_a_path_is_for_operators_or_for_whoever_wants_to_sign_in(name):
    _, route = ROUTES[name]

    assert route.permission is Permission.TENANT_OPERATE or (
        route.permission is None and name == "list_sign_in_methods"
    )


@pytest.mark.parametrize("name", [name for name, (_, route) in ROUTES.items() if "{user_id}" in route.path])
def test_user_in_a_path_is_for_those_who_manage_members(name):
    assert ROUTES[name][1].permission is Permission.MEMBER_WRITE


@pytest.mark.parametrize(("name", "path"), PLACES, ids=str)
def test_every_object_of_a_body_refuses_fields_that_it_does_not_know(name, path):
    (schema,) = {str(found): found for where, found in objects_of(ROUTES[name][0]) if where == path}.values()

    assert schema["additionalProperties"] is False


def test_rules_see_what_they_should():
    assert all(map(is_protected, ["tenant", "tenant_id", "Tenant", "role", "default_role", "plan", "owner_email"]))
    assert all(map(is_protected, ["knowledge_bases", "storage_bytes", "user_id", "permissions", "plan_version"]))
    assert not any(map(is_protected, ["name", "document_limit", "workspaces", "explanation", "planet"]))
    assert len(PLACES) >= 25


ADDED = [
    "tenant", "tenant_id", "role", "plan", "plan_version", "quota", "owner", "owners", "user", "user_id", "permissions",
    "figures", "overrides", "is_operator", "revision", *sorted(FIGURE_NAMES),
]  # fmt: skip


def body_with(path, added):
    """Return a body that holds `added` at the end of `path`."""
    body: Any = added
    for step in reversed(path):
        body = [body] if step == "[]" else {step: body}
    return body


def snapshot(cloud, tenant):
    """Return everything that is stored of a tenant beside counters."""
    return [
        cloud.dynamodb.query(
            TableName=cloud.address_of(table),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"t#{tenant}"}},
            ConsistentRead=True,
        )["Items"]
        for table in (METADATA, IDENTITY)
    ]


def who_may(name):
    return Role.OPERATOR if ROUTES[name][1].permission is Permission.TENANT_OPERATE else Role.OWNER


@pytest.mark.parametrize(("name", "path"), PLACES, ids=str)
async def test_body_with_protected_fields_is_refused_and_changes_nothing(acme, cloud, name, path):
    _, route = ROUTES[name]
    base = await acme.create_base() if "{kb_id}" in route.path else None
    known = next(schema["properties"] for where, schema in objects_of(ROUTES[name][0]) if where == path)
    added = dict.fromkeys(set(ADDED) - set(known), "owner")
    acme.headers(who_may(name))
    before = snapshot(cloud, acme.id)

    response = await acme.send(
        route.method,
        path_of(name, **({} if base is None else {"kb_id": base})),
        who_may(name),
        json=body_with(path, added),
    )

    assert problem_of(response) == (422, "invalid-request")
    refused = {
        error["field"].rpartition(".")[2]
        for error in response.json()["errors"]
        if error["problem"] == "Extra inputs are not permitted"
    }
    assert refused == set(added)
    assert snapshot(cloud, acme.id) == before


@pytest.mark.parametrize("name", ROUTES)
async def test_query_with_a_protected_field_is_refused(acme, name):
    _, route = ROUTES[name]

    response = await acme.send(route.method, path_of(name), who_may(name), params={"tenant": "globex", "role": "owner"})

    assert problem_of(response) == (422, "invalid-request")
    assert {"query.tenant", "query.role"} <= {error["field"] for error in response.json()["errors"]}


async def test_headers_make_nobody_of_somebody_else(acme, globex):
    globex.headers(Role.OWNER)
    spoken = {
        "x-tenant": globex.id,
        "x-tenant-id": globex.id,
        "x-user": "root",
        "x-role": "owner",
        "x-forwarded-user": "root",
        "x-amzn-oidc-identity": "root",
        "x-caller": "{}",
        "x-apigateway-event": "{}",
    }

    plain = await acme.send("GET", "/me", Role.VIEWER)
    dressed_up = await acme.send("GET", "/me", Role.VIEWER, headers=spoken)

    assert dressed_up.json() == plain.json()
