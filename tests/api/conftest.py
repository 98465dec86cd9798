"""The whole API in this process, on a real emulator: tokens are verified and capabilities checked, nothing is faked."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import httpx
import pytest

from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.minilm.build_model import DEFAULT_FOLDER, build_model
from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.composition.app import build_whole_app, caller_of_bearer
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.operations.capabilities import IDENTITY
from shared.retrieval.ports import IndexedChunk, Scope
from shared.tenancy.models import Override
from shared.tenancy.plans import PlanName
from shared.tenancy.ports import Put
from shared.tenancy.tenants import new_tenant
from tests.ambient import looking_on
from tests.api.door import MovableClock, authenticator_of
from tests.api.people import new_person, stranger
from tests.api.tenants import Tenant, new_tenant_name
from tests.canaries import watched
from tests.enrolment import Enrolment
from tests.ingestion.cloud import running_cloud
from tests.isolation.estate import Estate, settle
from tests.oidc.scripted_provider import ScriptedProvider
from tests.records import transactions_of
from tests.signing import open_signer, settle_names


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("cloud")) as started:
        settle_names(started)
        yield started


@pytest.fixture(scope="session")
def issuer(cloud):
    return open_signer(cloud)


@pytest.fixture(autouse=True)
def _clients_of_this_cloud(cloud, monkeypatch):
    """Clients are made on first use, and another suite's emulator may have been started since."""
    for name, value in cloud.variables.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def _clock_of_the_door():
    return MovableClock()


@pytest.fixture
def clock(_clock_of_the_door):
    """What the door takes for the time: moved, it forgets whom it let in; it goes right again after the test."""
    yield _clock_of_the_door
    _clock_of_the_door.ahead = timedelta()


@pytest.fixture(scope="session")
def app(cloud, _clock_of_the_door):
    authenticate = authenticator_of(cloud, _clock_of_the_door).authenticate
    return watched(build_whole_app(cloud.settings, caller_of_bearer(authenticate)))


@pytest.fixture(scope="session")
def people(cloud):
    return Enrolment(DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY)))


@pytest.fixture
async def client(app):
    # Each test from an address of its own, for what strangers send is counted by address.
    peer = (str(IPv4Address(0x0A000000 + secrets.randbits(24))), 50_000)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=peer), base_url="https://api.test"
    ) as opened:
        yield opened


@pytest.fixture(scope="session", autouse=True)
def bystander(cloud, app, issuer, people):
    """A tenant that has one of everything, with its canary in all names and contents, and asks for nothing."""
    with ScriptedProvider.listening() as provider, ThreadPoolExecutor(1) as thread:
        client = stranger(app)
        tenant = Tenant(new_tenant_name(), client, issuer, cloud, people)
        estate = Estate(tenant, provider.issuer, new_person(cloud, app, people), operates=True)
        thread.submit(asyncio.run, settle(estate)).result()
        yield estate


@pytest.fixture
def acme(client, issuer, cloud, people):
    return Tenant(new_tenant_name(), client, issuer, cloud, people)


@pytest.fixture
def globex(client, issuer, cloud, people):
    return Tenant(new_tenant_name(), client, issuer, cloud, people)


@pytest.fixture
def ada(cloud, app, people, issuer):
    """Somebody with an account and no organisation yet."""
    return new_person(cloud, app, people)


@pytest.fixture
def new_person_of(cloud, app, people, issuer):
    """Make more people like her."""
    return lambda: new_person(cloud, app, people)


@pytest.fixture
def grant(people):
    """Give a tenant figures of its own, before it has members."""

    async def granted(tenant, **figures):
        now = datetime.now(UTC)
        organisation, place = new_tenant(TenantId(tenant.id), tenant.id, PlanName.ENTERPRISE, now)
        overrides = {name: Override(value, now + timedelta(days=1)) for name, value in figures.items()}
        await people.records.commit(TenantId(tenant.id), [Put(replace(organisation, overrides=overrides)), Put(place)])

    return granted


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
        with looking_on():
            await index.write(TenantId(tenant.id), Scope(KnowledgeBaseId(base), 1), [chunk])
        return document_id

    return published
