"""Every operation × a stranger: nothing is open that was not opened (T3). Ids of other tenants: tests/isolation."""

import pytest

from shared.identity.permissions import Role
from tests.api import declared
from tests.api.declared import BODIES, path_of
from tests.api.tenants import body_without_request_id, problem_of

ROUTES = {name: route for name, (_, route) in declared.ROUTES.items() if route.permission is not None}
OF_A_DOCUMENT = [name for name, route in ROUTES.items() if "{document_id}" in route.path]


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


@pytest.mark.parametrize("name", OF_A_DOCUMENT)
async def test_document_of_another_base_looks_missing(acme, name):
    base, other = await acme.create_base(), await acme.create_base(name="Other")
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")
    method, body = ROUTES[name].method, BODIES.get(name)

    response = await acme.send(method, path_of(name, kb_id=other, document_id=document), Role.OWNER, json=body)
    unknown = await acme.send(method, path_of(name, kb_id=other), Role.OWNER, json=body)

    assert problem_of(response) == (404, "document-not-found")
    assert body_without_request_id(response) == body_without_request_id(unknown)
