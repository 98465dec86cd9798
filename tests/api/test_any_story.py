"""Stories of requests that lead to one another never meet a failure of ours, nor an answer that is not declared (U1).

Schemathesis follows the links of the exported document: what was created is read, changed, searched, deleted and asked
for again. Every answer passes all of its checks: statuses, media types, bodies and headers as declared, bad requests
refused and good ones taken, nothing there after it was deleted, all there after it was made, no route open without a
token. TESSERA_STORIES sets how many stories are told.
"""

import asyncio
import json
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.python import asgi

from tests.api.described import ROUTES, FromAnywhere, described_api, document, role_for, well_formed_is_understood
from tests.api.tenants import Tenant, new_tenant_name

STORIES = int(os.environ.get("TESSERA_STORIES", "20"))
FIRST = secrets.randbelow(2**32) if "TESSERA_STORIES" in os.environ else 0
"""The seed of the first story: stories that were asked for are others every time."""
SIMPLEST_AND_ONE = 2
"""Hypothesis begins every run with the simplest story there is."""
STEPS = 25

OF_DOCUMENTS = ["knowledge", "ingestion"]
OF_PEOPLE = sorted({operation.area for operation in ROUTES.values()} - set(OF_DOCUMENTS))
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
                    if case.meta is not None and case.meta.is_negative_at(ParameterLocation.HEADER):
                        # What is wrong may be the credentials, and must not be put right.
                        return {"session": session, "headers": {}}
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

            for number in range(FIRST, FIRST + stories):
                # One run each: what an earlier story left (addresses are taken once for all) would look to Hypothesis,
                # which compares the stories of one run, like a strategy that changes its mind.
                seed(number)(Story).run(
                    settings=settings(
                        max_examples=SIMPLEST_AND_ONE,
                        stateful_step_count=STEPS,
                        deadline=None,
                        database=None,
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
@pytest.mark.parametrize("areas", [OF_DOCUMENTS, OF_PEOPLE], ids=["documents", "people"])
def test_stories_hold_all_that_the_document_says(app, tell, areas):
    """Apart, for a story about people soon ends with the storyteller suspended or removed."""
    answers = tell(described_api(app).include(tag=areas), STORIES)

    print(f"stories from seed {FIRST}")
    print(json.dumps({f"{name} {status}": count for (name, status), count in sorted(answers.items())}, indent=1))
    asked = {name for name, _ in answers}
    assert not [name for name in answers if name[1] >= 500]
    assert asked <= {name for name, operation in ROUTES.items() if operation.area in areas}
    assert len({name for name, status in answers if status < 300}) >= 8


@pytest.mark.slow
def test_an_answer_that_the_document_describes_wrongly_is_found(app, tell):
    """The run above can fail: the same app under a document that is wrong about one field of one answer."""
    changed = document()
    changed["components"]["schemas"]["KnowledgeBaseDescription"]["properties"]["name"] = {"type": "integer"}

    with pytest.raises(FailureGroup) as found:
        tell(described_api(app, changed).include(tag=OF_DOCUMENTS), STORIES)

    assert "is not of type" in str(found.value.exceptions)
