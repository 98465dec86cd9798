"""A deployment in this process that is asked for everything once, while somebody notes what it asks of AWS."""

import asyncio
from dataclasses import replace

import pytest

from shared.operations.capabilities import FETCH_POLICY
from shared.operations.fetch_policy import FetchPolicy
from shared.operations.vector_cells import VECTOR_CELLS, VectorCell, VectorCells
from tests.api.conftest import (  # noqa: F401 (fixtures)
    _clients_of_this_cloud,
    _clock_of_the_door,
    app,
    embedder,
    index,
    issuer,
    people,
    publish,
)
from tests.infra.conftest import synthesize  # noqa: F401 (fixture)
from tests.ingestion.cloud import running_cloud
from tests.oidc.scripted_provider import ScriptedProvider
from tests.policies.deeds import SECOND_CELL
from tests.policies.deployed import Deployed
from tests.policies.recorder import recording
from tests.policies.suite import Suite
from tests.signing import settle_names

TWO_CELLS = VectorCells(
    cells=(
        VectorCell(id="main", address="sqlite", region="eu-central-1"),
        VectorCell(id=SECOND_CELL, address="sqlite", region="eu-west-1"),
    )
)
FETCHES_HERE = FetchPolicy(contact="https://acme.example/robots", reaches_loopback=True)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("cloud")) as started:
        settle_names(started)
        more = {
            FETCH_POLICY.resource.variable: FETCHES_HERE.model_dump_json(),
            VECTOR_CELLS: TWO_CELLS.model_dump_json(),
        }
        yield replace(started, variables={**started.variables, **more})


@pytest.fixture(scope="session")
def deployed(synthesize):  # noqa: F811 (the fixture)
    return Deployed(synthesize("prod"))


@pytest.fixture(scope="session")
def recorded(cloud, app, issuer, people, embedder):  # noqa: F811 (the fixtures)
    """The calls of every operation."""
    with ScriptedProvider.listening() as provider, recording(cloud.settings.known_addresses()) as calls:
        asyncio.run(Suite(cloud, app, issuer, people, provider, embedder).run())
    return frozenset(calls)
