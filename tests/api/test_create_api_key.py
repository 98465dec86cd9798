"""create_api_key."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.dynamodb.api_keys import DynamoApiKeys
from shared.identity.api_keys import KEY_PERMISSIONS, MOST_SECRETS, SCOPES, Scope
from shared.identity.permissions import PERMISSIONS, Permission, Role
from shared.kernel.ids import ApiKeyId, TenantId, WorkspaceId
from shared.operations.capabilities import IDENTITY
from tests.api.tenants import problem_of
from tests.records import transactions_of

NEVER = {
    Permission.ACCOUNT,
    Permission.API_KEY_WRITE,
    Permission.AUDIT_READ,
    Permission.IDENTITY_PROVIDER_WRITE,
    Permission.MEMBER_WRITE,
    Permission.SECURITY_READ,
    Permission.TENANT_OPERATE,
    Permission.TENANT_WRITE,
}
"""What gives access, or looks at it."""


async def create(tenant, role=Role.MAINTAINER, headers=None, **body):
    body = {"name": "nightly import", **({} if {"scope", "permissions"} & body.keys() else {"scope": "read"}), **body}
    return await tenant.send("POST", "/api-keys", role, json=body, headers=headers or {})


async def with_key(tenant, key, method, path, **parts):
    return await tenant.client.request(method, path, headers={"authorization": f"Bearer {key}"}, **parts)


async def test_key_is_shown_once_and_works_at_once(acme):
    response = await create(acme, scope="write")

    assert response.status_code == 201
    created = response.json()
    assert re.fullmatch(rf"tsk_{acme.id}\.[0-9a-z]{{26}}\.[A-Za-z0-9_-]{{43}}", created["api_key"])
    assert created["key"]["id"].startswith("key_")
    assert (created["key"]["name"], created["key"]["status"]) == ("nightly import", "active")
    assert "workspaces" not in created["key"]
    made = await with_key(acme, created["api_key"], "POST", "/knowledge-bases", json={"name": "By a machine"})
    assert made.status_code == 201
    assert created["api_key"].rpartition(".")[2] not in (await acme.send("GET", "/api-keys")).text


async def test_only_the_hash_of_the_secret_is_stored(acme, cloud):
    created = (await create(acme)).json()

    item = cloud.dynamodb.get_item(
        TableName=cloud.address_of(IDENTITY),
        Key={"pk": {"S": f"t#{acme.id}"}, "sk": {"S": f"key#{created['key']['id']}"}},
    )["Item"]

    assert created["api_key"].rpartition(".")[2] not in str(item)
    stored = await DynamoApiKeys(transactions_of(cloud), cloud.address_of(IDENTITY)).api_key(
        TenantId(acme.id), ApiKeyId(created["key"]["id"])
    )
    assert stored is not None
    assert [len(digest) for digest in stored.secret_hashes] == [64]


async def test_key_lives_ninety_days_unless_told_otherwise(acme):
    body = (await create(acme)).json()["key"]

    lifetime = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body["created_at"])
    assert lifetime == timedelta(days=90)


@pytest.mark.parametrize("days", [365.1, -0.01, 0, 5000])
async def test_key_lives_a_year_at_most_and_is_not_born_dead(acme, days):
    expires_at = (datetime.now(UTC) + timedelta(days=days)).isoformat()

    assert problem_of(await create(acme, expires_at=expires_at)) == (422, "unfit-lifetime")


@pytest.mark.parametrize("scope", Scope)
async def test_scope_is_a_set_of_permissions_that_no_key_exceeds(acme, scope):
    body = (await create(acme, scope=scope)).json()

    assert set(body["key"]["permissions"]) == SCOPES[scope]
    told = await with_key(acme, body["api_key"], "GET", "/me")
    assert set(told.json()["permissions"]) == SCOPES[scope]


def test_each_scope_holds_the_one_before_and_keys_can_have_nothing_that_gives_access():
    assert SCOPES[Scope.READ] < SCOPES[Scope.WRITE] < SCOPES[Scope.ADMIN] == KEY_PERMISSIONS
    assert set(Permission) - KEY_PERMISSIONS == NEVER


@pytest.mark.parametrize("permission", sorted(NEVER))
@pytest.mark.parametrize("role", [Role.OWNER, Role.MAINTAINER])
async def test_no_key_gives_access_or_looks_at_it(acme, role, permission):
    response = await create(acme, role, permissions=["search", permission])

    assert problem_of(response) == (403, "permission-not-grantable")
    assert response.json()["facts"] == {"permission": permission}


async def test_whatever_a_key_may_have_its_creator_holds():
    creators = [role for role in Role if Permission.API_KEY_WRITE in PERMISSIONS[role]]

    assert creators == [Role.OWNER, Role.MAINTAINER]
    assert all(PERMISSIONS[role] >= KEY_PERMISSIONS for role in creators)


@pytest.mark.parametrize("role", [Role.OWNER, Role.MAINTAINER])
async def test_key_creates_no_key_and_ends_none(acme, role):
    created = (await create(acme, role, scope="admin")).json()

    for method, path, body in (
        ("POST", "/api-keys", {"name": "child", "scope": "read"}),
        ("GET", "/api-keys", None),
        ("DELETE", f"/api-keys/{created['key']['id']}", None),
    ):
        response = await with_key(acme, created["api_key"], method, path, json=body)
        assert problem_of(response) == (403, "forbidden")
        assert "This API key does not hold api-key:write" in response.json()["detail"]


async def test_unknown_workspace_is_refused(acme):
    unknown = "ws_" + "0" * 26

    assert problem_of(await create(acme, workspaces=[unknown])) == (422, "workspace-not-grantable")


async def test_member_of_some_workspaces_gives_keys_to_no_other(acme, people, issuer):
    acme.headers()
    (first,) = await people.records.workspaces(TenantId(acme.id), 1)
    people.enrol(acme.id, "narrow", Role.MAINTAINER, frozenset({WorkspaceId("ws_" + "5" * 26)}))
    headers = {"authorization": f"Bearer {issuer.issue(acme.id, 'narrow', Role.MAINTAINER)}"}

    body = {"name": "wide", "scope": "read", "workspaces": [first.workspace_id]}
    response = await acme.client.post("/api-keys", json=body, headers=headers)

    assert problem_of(response) == (422, "workspace-not-grantable")
    unnamed = await acme.client.post("/api-keys", json={"name": "own", "scope": "read"}, headers=headers)
    told = await with_key(acme, unnamed.json()["api_key"], "GET", "/me")
    assert told.json()["workspaces"] == ["ws_" + "5" * 26]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "A"},
        {"scope": "read"},
        {"name": "", "scope": "read"},
        {"name": "A", "scope": "everything"},
        {"name": "A", "scope": "read", "permissions": ["search"]},
        {"name": "A", "permissions": []},
        {"name": "A", "permissions": ["everything"]},
        {"name": "A", "permissions": "search"},
        {"name": "A", "scope": "read", "workspaces": []},
        {"name": "A", "scope": "read", "workspaces": ["main"]},
        {"name": "A", "scope": "read", "workspaces": ["ws_" + "0" * 26] * 51},
        {"name": "A", "scope": "read", "expires_at": "2027-01-01T00:00:00"},
        {"name": "A", "scope": "read", "expires_at": "soon"},
        {"name": "A", "scope": "read", "user": "somebody"},
        {"name": "A", "scope": "read", "role": "owner"},
        {"name": "A", "scope": "read", "tenant": "globex"},
        {"name": "A", "scope": "read", "secret": "hunter2"},
    ],
    ids=repr,
)
async def test_unfit_body_is_refused_and_creates_nothing(acme, body):
    response = await acme.send("POST", "/api-keys", json=body)

    assert problem_of(response) == (422, "invalid-request")
    assert (await acme.send("GET", "/api-keys")).json()["items"] == []


async def test_repetition_creates_one_key_whose_every_secret_works(acme):
    responses = await asyncio.gather(
        *(create(acme, headers={"idempotency-key": "k-1"}) for _ in range(MOST_SECRETS))
    )  # fmt: skip

    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["key"]["id"] for response in responses}) == 1
    bearers = {response.json()["api_key"] for response in responses}
    assert len(bearers) == MOST_SECRETS
    for bearer in bearers:
        assert (await with_key(acme, bearer, "GET", "/me")).status_code == 200
    assert problem_of(await create(acme, headers={"idempotency-key": "k-1"})) == (409, "secret-shown")
    assert len((await acme.send("GET", "/api-keys")).json()["items"]) == 1


async def test_repetition_wakes_no_revoked_key(acme):
    created = (await create(acme, headers={"idempotency-key": "k-1"})).json()
    await acme.send("DELETE", f"/api-keys/{created['key']['id']}")

    assert problem_of(await create(acme, headers={"idempotency-key": "k-1"})) == (409, "secret-shown")


async def test_idempotency_key_for_another_wish_is_refused(acme):
    await create(acme, headers={"idempotency-key": "k-1"})

    response = await create(acme, headers={"idempotency-key": "k-1"}, scope="admin")

    assert problem_of(response) == (422, "idempotency-key-reused")
