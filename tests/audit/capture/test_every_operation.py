"""Every operation of the API, executed: it leaves exactly the events it should, and none tells any content (T7).

Whether something was written is not taken from the declaration: the records themselves are compared, before and after.
"""

import json
import re

import pytest

from shared.adapters.dynamodb.bookkeeping import NOTE_USE, REHASH, RULES
from shared.audit.events import ADMITTED, DONE, EventKind, canonical
from shared.identity.permissions import Permission, Role, is_permitted
from shared.operations.bodies import MAX_BODY_BYTES
from shared.operations.capabilities import IDENTITY, METADATA, UPLOADS
from shared.tenancy.models import OPERATORS
from tests.api.declared import ROUTES, path_of
from tests.isolation.estate import send

WITH_CALLERS = [name for name, (_, route) in ROUTES.items() if route.permission is not None]
NAMING_SOMETHING = [name for name in WITH_CALLERS if "{" in ROUTES[name][1].path]
MADE_BY_STRANGERS = {"sign_in", "sign_out", "refresh_session", "sign_up", "accept_invitation"}
"""The public operations that write, of those that succeed here."""

_ID = re.compile(r"(kb|doc|ws|inv|key|idp|usr|ses|aud|exp)_[0-9a-z]{26}|only-[0-9a-f]{12}|tenant-[0-9a-f]{12}")


@pytest.fixture
async def estate(new_estate):
    """A tenant that has something of everything."""
    made = new_estate()
    for name in ("document_id", "user_id", "email", "invitation", "provider", "key_id", "workspace_id", "started"):
        await made.real(name)
    return made


@pytest.fixture
def said(estate):
    """Every text that the tenant said in a body, but for ids."""
    texts: list[str] = []

    def gather(value):
        match value:
            case dict():
                for part in value.values():
                    gather(part)
            case list():
                for part in value:
                    gather(part)
            case str() if len(value) > 3 and not _ID.fullmatch(value):
                texts.append(value)

    async def read(request):
        gather(json.loads(request.content or b"null"))

    estate.tenant.client.event_hooks["request"].append(read)
    return texts


def records(cloud):
    """Return all records that are no bookkeeping, of everybody."""
    found = {}
    for table in (METADATA, IDENTITY):
        for page in cloud.dynamodb.get_paginator("scan").paginate(TableName=cloud.address_of(table)):
            for item in page["Items"]:
                key = (table.name, item["pk"]["S"], item["sk"]["S"])
                if not any(
                    rule.table == key[0] and re.fullmatch(rule.partition, key[1]) and re.fullmatch(rule.sort, key[2])
                    for rule in RULES
                    if not rule.in_progress and rule.expression is None
                ):
                    found[key] = {name: value for name, value in item.items() if name != "last_used_at"}
    return found


def logs_of(estate, answer):
    """Return whose logs may tell of a request: its tenant's, the operators', and that of a tenant it made."""
    made = answer.json().get("tenant") if answer.is_success and answer.content else None
    made = made.get("id") if isinstance(made, dict) else made
    return [estate.tenant.id, OPERATORS, *([made] if isinstance(made, str) and made != estate.tenant.id else [])]


@pytest.mark.parametrize("operation_id", ROUTES)
async def test_operation_leaves_the_events_of_what_it_did(cloud, told, estate, said, operation_id):
    operation, route = ROUTES[operation_id]
    before = {log: told.all(log) for log in (estate.tenant.id, OPERATORS)}
    known = records(cloud)

    answer = await send(estate, operation_id, {})

    has_written = records(cloud) != known
    request_id = answer.headers["x-request-id"]
    events = [
        event
        for log in logs_of(estate, answer)
        for event in told.since(log, before.get(log, {}))
        if event.request_id == request_id
    ]
    writes = [event for event in events if event.kind is EventKind.WRITE]
    accesses = [event for event in events if event.kind is EventKind.ACCESS]
    refusals = [event for event in events if event.kind is EventKind.REFUSAL]
    assert bool(writes) == has_written
    assert {event.outcome for event in writes} <= {DONE}
    assert {event.operation for event in events} <= {operation_id}
    assert [event.step for event in events] == list(range(len(events)))
    if route.permission is None:
        assert events == writes
        assert not has_written or operation_id in MADE_BY_STRANGERS
    elif answer.is_success:
        assert refusals == []
        is_told_before = UPLOADS.delete in operation.uses
        assert [event.outcome for event in accesses] == ([ADMITTED] if is_told_before or not has_written else [])
    else:
        assert [event.outcome for event in refusals] == [answer.json()["code"]]
        assert not has_written
    for event in events:
        assert event.ip == estate.tenant.client._transport.client[0]
        if route.permission is not None:
            assert event.role == ("operator" if route.permission is Permission.TENANT_OPERATE else "owner")
            assert event.actor == f"ada@example.{event.role}"
        line = canonical(event)
        assert estate.tenant.canary not in line.replace(estate.tenant.id, "")
        assert not [text for text in said if text in line]


@pytest.mark.parametrize("operation_id", WITH_CALLERS)
async def test_operation_beyond_the_caller_leaves_its_refusal(told, new_estate, operation_id):
    _, route = ROUTES[operation_id]
    estate = new_estate()
    allowed = Permission.DOCUMENT_READ if route.permission is Permission.SEARCH else Permission.SEARCH
    created = await estate.tenant.send(
        "POST", "/api-keys", Role.OWNER, json={"name": "machine", "permissions": [allowed.value]}
    )
    before = told.all(estate.tenant.id)

    answer = await estate.tenant.client.request(
        route.method, path_of(operation_id), headers={"authorization": f"Bearer {created.json()['api_key']}"}
    )

    assert answer.json()["code"] == "forbidden"
    (event,) = told.since(estate.tenant.id, before)
    assert (event.kind, event.outcome, event.operation) == (EventKind.REFUSAL, "forbidden", operation_id)
    assert (event.actor, event.role, event.key_id) == ("ada@example.owner", "owner", created.json()["key"]["id"])
    assert event.resource == path_of(operation_id).removeprefix("/")
    assert event.request_id == answer.headers["x-request-id"]


@pytest.mark.parametrize("operation_id", NAMING_SOMETHING)
async def test_what_nobody_has_is_refused_in_the_log_of_whoever_asks(told, new_estate, operation_id):
    _, route = ROUTES[operation_id]
    role = Role.OPERATOR if route.permission is Permission.TENANT_OPERATE else Role.OWNER
    assert route.permission is not None
    assert is_permitted(role, route.permission)
    tenant = new_estate().tenant
    tenant.headers(role)
    log = OPERATORS if role is Role.OPERATOR else tenant.id
    before, nobody = told.all(log), told.all("nobody")

    answer = await tenant.send(route.method, path_of(operation_id), role, json={})

    code = answer.json()["code"]
    events = [event for event in told.since(log, before) if event.request_id == answer.headers["x-request-id"]]
    assert (events[-1].kind, events[-1].outcome) == (EventKind.REFUSAL, code)
    assert events[-1].resource == path_of(operation_id).removeprefix("/")
    assert [event.kind for event in events[:-1]] in ([], [EventKind.ACCESS])
    assert told.since("nobody", nobody) == []


@pytest.mark.parametrize("operation_id", WITH_CALLERS)
async def test_nobody_in_particular_reads_nothing_and_is_not_told_of(told, new_estate, operation_id):
    _, route = ROUTES[operation_id]
    client = new_estate().tenant.client
    before = told.all(OPERATORS)

    answer = await client.request(route.method, path_of(operation_id))

    assert answer.status_code == 401
    assert [
        event for event in told.since(OPERATORS, before) if event.request_id == answer.headers["x-request-id"]
    ] == []


@pytest.mark.parametrize(
    "written", ["the%20secret%20plan", "ada@example.com", "Salaries-2026.xlsx", "sk_live_0123456789"]
)
async def test_what_stands_in_a_path_and_is_no_id_is_content(told, new_estate, written):
    tenant = new_estate().tenant
    tenant.headers(Role.OWNER)
    before = told.all(tenant.id)

    await tenant.send("GET", f"/knowledge-bases/{written}", Role.OWNER)

    assert {event.resource for event in told.since(tenant.id, before)} == {"knowledge-bases/~"}


async def test_a_body_that_is_too_large_is_told_of(told, new_estate):
    tenant = new_estate().tenant
    tenant.headers(Role.OWNER)
    before = told.all(tenant.id)

    answer = await tenant.send("POST", "/workspaces", Role.OWNER, json={"name": "x" * (MAX_BODY_BYTES + 1)})

    (event,) = told.since(tenant.id, before)
    assert (event.kind, event.outcome) == (EventKind.REFUSAL, answer.json()["code"]) == ("refusal", "body-too-large")
    assert event.actor == "ada@example.owner"


async def test_a_limit_that_refuses_is_told_of(told, new_estate, grant_writes):
    tenant = new_estate().tenant
    await grant_writes(tenant, 1)

    answers = [await tenant.send("POST", "/workspaces", Role.OWNER, json={"name": f"W{n}"}) for n in range(12)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    outcomes = [event.outcome for event in told.all(tenant.id).values() if event.kind is EventKind.REFUSAL]
    assert outcomes == [answer.json()["code"] for answer in refused]


def test_expressions_of_bookkeeping_are_those_of_the_list():
    assert {rule.expression for rule in RULES} == {None, NOTE_USE, REHASH}
