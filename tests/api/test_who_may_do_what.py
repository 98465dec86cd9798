"""Every operation × every role, and every operation × a stranger: nothing is open that was not opened (T3, T5)."""

import re
from operator import attrgetter

import pytest

from shared.identity.permissions import Role, is_permitted
from shared.operations.declaration import HttpTrigger
from shared.operations.registry import all_operations
from tests.api.tenants import body_without_request_id, problem_of

ROUTES = [
    operation
    for operation in all_operations()
    if isinstance(operation.trigger, HttpTrigger) and operation.trigger.permission is not None
]
OF_A_BASE = [operation for operation in ROUTES if "{kb_id}" in operation.trigger.path]
NAMES = attrgetter("id")
UNKNOWN_BASE = "kb_00000000000000000000000000"
UNKNOWN_DOCUMENT = "doc_00000000000000000000000000"
BODIES = {
    "create_upload": {"name": "a.md"},
    "update_knowledge_base": {"name": "Taken over"},
    "search_knowledge_base": {"query": "notice"},
    "answer_question": {"question": "How long is the notice period?"},
}


def path_of(operation, base=UNKNOWN_BASE, document=UNKNOWN_DOCUMENT):
    filled = operation.trigger.path.replace("{kb_id}", base).replace("{document_id}", document)
    assert not re.search(r"[{}]", filled), filled
    return filled


@pytest.mark.parametrize("operation", ROUTES, ids=NAMES)
async def test_nobody_gets_in_without_a_token(acme, operation):
    response = await acme.client.request(operation.trigger.method, path_of(operation))

    assert problem_of(response) == (401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("operation", ROUTES, ids=NAMES)
async def test_forged_token_gets_nobody_in(acme, operation):
    token = acme.headers()["authorization"]

    response = await acme.client.request(
        operation.trigger.method, path_of(operation), headers={"authorization": token[:-8] + "AAAAAAAA"}
    )

    assert problem_of(response) == (401, "invalid-token")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("operation", ROUTES, ids=NAMES)
async def test_role_does_what_its_permissions_say_and_nothing_else(acme, operation, role):
    # A body that no operation takes: whoever is let in is told so, after the permission was checked.
    response = await acme.send(
        operation.trigger.method,
        path_of(operation),
        role,
        json={"no such field": True} if operation.id in BODIES else None,
    )

    if is_permitted(role, operation.trigger.permission):
        assert response.status_code not in (401, 403)
    else:
        assert problem_of(response) == (403, "forbidden")


@pytest.mark.parametrize("operation", OF_A_BASE, ids=NAMES)
async def test_what_belongs_to_another_tenant_looks_missing(acme, globex, operation):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")
    method, body = operation.trigger.method, BODIES.get(operation.id)

    foreign = await globex.send(method, path_of(operation, base, document), Role.OWNER, json=body)
    unknown = await globex.send(method, path_of(operation), Role.OWNER, json=body)

    assert problem_of(foreign) == (404, "knowledge-base-not-found")
    assert body_without_request_id(foreign) == body_without_request_id(unknown)
    shown = await acme.send("GET", f"/knowledge-bases/{base}/documents/{document}")
    assert (shown.json()["status"], shown.json()["name"]) == ("ready", "terms.md")
    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json()["name"] == "Policies"


@pytest.mark.parametrize("operation", [op for op in OF_A_BASE if "{document_id}" in op.trigger.path], ids=NAMES)
async def test_document_of_another_base_looks_missing(acme, operation):
    base, other = await acme.create_base(), await acme.create_base(name="Other")
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")
    method, body = operation.trigger.method, BODIES.get(operation.id)

    response = await acme.send(method, path_of(operation, other, document), Role.OWNER, json=body)
    unknown = await acme.send(method, path_of(operation, other), Role.OWNER, json=body)

    assert problem_of(response) == (404, "document-not-found")
    assert body_without_request_id(response) == body_without_request_id(unknown)
