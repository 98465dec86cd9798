"""Whatever is sent, an operation answers as its OpenAPI document says, and never with a failure of ours (U1).

Schemathesis makes requests from the document: every boundary of every parameter, each of them left out or broken, other
methods, and then at random. The ids of a base and of a document stand in for those that the document only describes.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.python import asgi

from tests.api.described import FromAnywhere, described_api, role_for, well_formed_is_understood

EXAMPLES = int(os.environ.get("TESSERA_EXAMPLES", "15"))


PLACE = FromAnywhere()
schema = described_api(PLACE)


@pytest.fixture
def place(app):
    """Where the schema sends requests to, with the app there."""
    PLACE.app = app
    return PLACE


@pytest.fixture
async def ids(acme):
    base = await acme.create_base()
    return {"kb_id": base, "document_id": await acme.publish(base, "terms.md", "The notice period is 30 days.")}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: Any, place: Any, acme: Any, ids: dict[str, str]) -> None:
    place.move()
    headers = {}
    meta = case.meta
    if meta is None or not meta.is_negative_at(ParameterLocation.HEADER):
        headers = acme.headers(role_for(case.operation.definition.raw["operationId"]), "ada")
    if meta is None or not meta.is_negative_at(ParameterLocation.PATH):
        case.path_parameters.update({name: ids[name] for name in case.path_parameters or {} if name in ids})

    with asgi.get_client(place) as session:
        response = case.call(session=session, headers=headers)
        case.validate_response(
            response,
            additional_checks=[well_formed_is_understood],
            headers=headers,
            transport_kwargs={"session": session},
        )
