"""The whole API in this process, on a real emulator: tokens are verified and capabilities checked, nothing is faked."""

import httpx
import pytest

from localstack.issuer import AUDIENCE, ISSUER, open_issuer
from localstack.members import Enrolment
from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.minilm.build_model import DEFAULT_FOLDER, build_model
from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.composition.app import build_whole_app, caller_of_bearer
from shared.composition.services import services_for
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.operations.capabilities import IDENTITY, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_KEYS
from shared.operations.registry import load_operation
from shared.retrieval.ports import IndexedChunk, Scope
from tests.api.tenants import Tenant, new_tenant_name
from tests.ingestion.cloud import running_cloud


@pytest.fixture(scope="session")
def issuer(tmp_path_factory):
    return open_issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory, issuer):
    with running_cloud(tmp_path_factory.mktemp("cloud")) as started:
        started.variables.update(
            {
                TOKEN_ISSUER.resource.variable: ISSUER,
                TOKEN_AUDIENCE.resource.variable: AUDIENCE,
                TOKEN_KEYS.resource.variable: issuer.keys_address,
            }
        )
        yield started


@pytest.fixture(autouse=True)
def _clients_of_this_cloud(cloud, monkeypatch):
    """Clients are made on first use, and another suite's emulator may have been started since."""
    for name, value in cloud.variables.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def app(cloud):
    authorizer = services_for(load_operation("identity", "authorize_request"), cloud.settings)

    return build_whole_app(cloud.settings, caller_of_bearer(authorizer.authentication.authenticator.authenticate))


@pytest.fixture(scope="session")
def people(cloud):
    return Enrolment(DynamoTenancy(cloud.dynamodb, cloud.address_of(IDENTITY)))


@pytest.fixture
async def client(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test") as opened:
        yield opened


@pytest.fixture
def acme(client, issuer, cloud, people):
    return Tenant(new_tenant_name(), client, issuer, cloud, people)


@pytest.fixture
def globex(client, issuer, cloud, people):
    return Tenant(new_tenant_name(), client, issuer, cloud, people)


@pytest.fixture(scope="session")
def embedder():
    build_model(DEFAULT_FOLDER)
    return MiniLmEmbedder(DEFAULT_FOLDER)


@pytest.fixture
def index(cloud):
    opened = SqliteChunkIndex(cloud.settings.local_folder / "vectors.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def publish(index, embedder):
    """Take a document in and put its one chunk into the index."""

    async def published(tenant, base, name, text, **metadata):
        document_id = await tenant.publish(base, name, text)
        record = await tenant.record(base, document_id)
        (vector,) = await embedder.embed([text])
        generation = record.live[1].generation
        chunk = IndexedChunk(
            DocumentId(document_id), generation, 0, 0, len(text), None, name, "", text, vector, metadata
        )  # fmt: skip
        await index.write(TenantId(tenant.id), Scope(KnowledgeBaseId(base), 1), [chunk])
        return document_id

    return published
