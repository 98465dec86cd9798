"""Every operation × every role, and every operation × a stranger: nothing is open that was not opened (T3, T5)."""

import re

import pytest

from shared.identity.permissions import Role
from shared.operations.declaration import HttpTrigger
from shared.operations.registry import all_operations
from tests.api.tenants import body_without_request_id, problem_of

ROUTES = {
    operation.id: operation.trigger
    for operation in all_operations()
    if isinstance(operation.trigger, HttpTrigger) and operation.trigger.permission is not None
}
OF_A_BASE = [name for name, route in ROUTES.items() if "{kb_id}" in route.path]
OF_A_DOCUMENT = [name for name, route in ROUTES.items() if "{document_id}" in route.path]
UNKNOWN = {
    "kb_id": "kb_" + "0" * 26,
    "document_id": "doc_" + "0" * 26,
    "key_id": "key_" + "0" * 26,
    "workspace_id": "ws_" + "0" * 26,
    "invitation_id": "inv_" + "0" * 26,
    "provider_id": "idp_" + "0" * 26,
}
BODIES = {
    "create_upload": {"name": "a.md"},
    "update_knowledge_base": {"name": "Taken over"},
    "search_knowledge_base": {"query": "notice"},
    "answer_question": {"question": "How long is the notice period?"},
}


def path_of(name, **ids):
    """Return the path of an operation; what is not given is unknown to everybody."""
    return re.sub(r"{(\w+)}", lambda found: ids.get(found[1]) or UNKNOWN.get(found[1], "nobody"), ROUTES[name].path)


@pytest.mark.parametrize("name", ROUTES)
async def test_nobody_gets_in_without_a_token(acme, name):
    response = await acme.client.request(ROUTES[name].method, path_of(name))

    assert problem_of(response) == (401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ROUTES)
async def test_forged_token_gets_nobody_in(acme, name):
    token = acme.headers()["authorization"]

    response = await acme.client.request(
        ROUTES[name].method, path_of(name), headers={"authorization": token[:-8] + "AAAAAAAA"}
    )

    nobody = await acme.client.request(ROUTES[name].method, path_of(name))
    assert problem_of(response) == (401, "unauthenticated")
    assert body_without_request_id(response) == body_without_request_id(nobody)


@pytest.mark.parametrize("name", OF_A_BASE)
async def test_what_belongs_to_another_tenant_looks_missing(acme, globex, name):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")
    method, body = ROUTES[name].method, BODIES.get(name)

    foreign = await globex.send(method, path_of(name, kb_id=base, document_id=document), Role.OWNER, json=body)
    unknown = await globex.send(method, path_of(name), Role.OWNER, json=body)

    assert problem_of(foreign) == (404, "knowledge-base-not-found")
    assert body_without_request_id(foreign) == body_without_request_id(unknown)
    shown = await acme.send("GET", f"/knowledge-bases/{base}/documents/{document}")
    assert (shown.json()["status"], shown.json()["name"]) == ("ready", "terms.md")
    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json()["name"] == "Policies"


@pytest.mark.parametrize("name", OF_A_DOCUMENT)
async def test_document_of_another_base_looks_missing(acme, name):
    base, other = await acme.create_base(), await acme.create_base(name="Other")
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")
    method, body = ROUTES[name].method, BODIES.get(name)

    response = await acme.send(method, path_of(name, kb_id=other, document_id=document), Role.OWNER, json=body)
    unknown = await acme.send(method, path_of(name, kb_id=other), Role.OWNER, json=body)

    assert problem_of(response) == (404, "document-not-found")
    assert body_without_request_id(response) == body_without_request_id(unknown)
