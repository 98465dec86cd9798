"""Whatever is sent, an operation answers with a status that its OpenAPI declares, never with a failure of ours (U1)."""

import json
from operator import attrgetter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

from shared.composition.write_docs import generated_pages
from shared.identity.permissions import Role
from shared.operations.declaration import HttpTrigger
from shared.operations.registry import all_operations

ROUTES = [operation for operation in all_operations() if isinstance(operation.trigger, HttpTrigger)]
EXAMPLES = 25


@pytest.fixture(scope="module")
def schema():
    return schemathesis.openapi.from_dict(json.loads(generated_pages()["openapi.json"]))


@pytest.mark.slow
@pytest.mark.parametrize("operation", ROUTES, ids=attrgetter("id"))
def test_every_answer_is_declared(app, schema, acme, operation):
    client = TestClient(app, headers=acme.headers(Role.OWNER))
    base = client.post("/knowledge-bases", json={"name": "Policies"}).json()["id"]
    document = client.post(f"/knowledge-bases/{base}/uploads", json={"name": "a.md"}).json()["document_id"]
    described = schema[operation.trigger.path][operation.trigger.method]
    declared = described.definition.raw["responses"]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy())
    def send(case):
        path = operation.trigger.path.replace("{kb_id}", base).replace("{document_id}", document)
        body = case.body if isinstance(case.body, dict | list | str | int | float) else None

        response = client.request(operation.trigger.method, path, params=case.query or {}, json=body)

        assert str(response.status_code) in declared, response.text
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"

    send()
