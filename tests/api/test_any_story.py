"""Stories of requests that lead to one another never meet a failure of ours, nor an answer that is not declared (U1).

Schemathesis follows the links of the exported document: what was created is read, changed, searched, deleted and asked
for again. Every answer passes all of its checks: statuses, media types, bodies and headers as declared, bad requests
refused and good ones taken, nothing there after it was deleted, all there after it was made, no route open without a
token. TESSERA_STORIES sets how many stories are told.
"""

import asyncio
import copy
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.python import asgi

from tests.api.described import ROUTES, FromAnywhere, described_api, document, role_for, well_formed_is_understood
from tests.api.tenants import Tenant, new_tenant_name

STORIES = int(os.environ.get("TESSERA_STORIES", "40"))
STEPS = 25

TEXT = "The tenancy can be ended in writing. The notice period is 30 days. Keys are handed back."


@pytest.fixture
def tell(app, cloud, issuer, people, publish):
    """Tell stories of a schema, each in a tenant of its own; return how often each operation answered what."""
    place = FromAnywhere(app)

    def told(schema: Any, stories: int) -> dict[tuple[str, int], int]:
        schema.app = place
        answers: dict[tuple[str, int], int] = {}

        with asgi.get_client(place) as session:

            class Story(schema.as_state_machine()):  # type: ignore[misc]
                def setup(self) -> None:
                    place.move()
                    self.tenant = _new_tenant(place, issuer, cloud, people, publish)

                def get_call_kwargs(self, case: Any) -> dict[str, Any]:
                    role = role_for(case.operation.definition.raw["operationId"])
                    return {"session": session, "headers": self.tenant.headers(role, "ada")}

                def validate_response(self, response: Any, case: Any, headers: Any, **sent: Any) -> None:
                    # Named as headers, the token counts as one that was meant, and is left out where a check probes.
                    case.validate_response(
                        response,
                        additional_checks=[well_formed_is_understood],
                        headers=headers,
                        transport_kwargs=sent,
                        recorder=self.recorder,
                    )

                def after_call(self, response: Any, case: Any) -> None:
                    super().after_call(response, case)
                    name = case.operation.definition.raw["operationId"], response.status_code
                    answers[name] = answers.get(name, 0) + 1

            Story.run(
                settings=settings(
                    max_examples=stories,
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    derandomize="TESSERA_STORIES" not in os.environ,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
            )
        return answers

    return told


def _new_tenant(app: Any, issuer: Any, cloud: Any, people: Any, publish: Any) -> Tenant:
    """Return a tenant that has one knowledge base with one document in it."""

    async def made() -> Tenant:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test") as client:
            tenant = Tenant(new_tenant_name(), client, issuer, cloud, people)
            await publish(tenant, await tenant.create_base(), "terms.md", TEXT)
            return tenant

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, made()).result()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_stories_hold_all_that_the_document_says(app, tell):
    answers = tell(described_api(app), STORIES)

    succeeded = {name for name, status in answers if status < 300}
    print(json.dumps({f"{name} {status}": count for (name, status), count in sorted(answers.items())}, indent=1))
    assert not [name for name in answers if name[1] >= 500]
    assert {"create_knowledge_base", "get_knowledge_base", "update_knowledge_base", "create_upload"} <= succeeded
    assert {name for name, _ in answers} <= ROUTES.keys()


@pytest.mark.slow
def test_an_answer_that_the_document_describes_wrongly_is_found(app, tell):
    """The run above can fail: the same app under a document that is wrong about one field of one answer."""
    changed = copy.deepcopy(json.loads(document()))
    changed["components"]["schemas"]["KnowledgeBaseDescription"]["properties"]["name"] = {"type": "integer"}

    with pytest.raises(FailureGroup) as found:
        tell(described_api(app, changed), 40)

    assert "is not of type" in str(found.value.exceptions)
