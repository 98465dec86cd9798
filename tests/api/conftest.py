"""The whole API in this process, on a real emulator: tokens are verified and capabilities checked, nothing is faked."""

import httpx
import pytest

from localstack.issuer import open_issuer
from shared.composition.app import build_whole_app
from shared.composition.services import services_for
from shared.composition.settings import Settings
from shared.operations.registry import load_operation
from tests.api.cloud import running_cloud, unguarded_clients
from tests.api.tenants import Cloud, Tenant, new_tenant_name


@pytest.fixture(scope="session")
def issuer(tmp_path_factory):
    return open_issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory, issuer):
    with running_cloud(tmp_path_factory.mktemp("cloud"), issuer) as settings:
        yield Cloud(settings, unguarded_clients())


@pytest.fixture(scope="session")
def app(cloud):
    settings = Settings(cloud.settings)
    authorizer = services_for(load_operation("identity", "authorize_request"), settings)

    async def caller_of(request):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return await authorizer.token_verifier.verify(token) if scheme.lower() == "bearer" else None

    return build_whole_app(settings, caller_of)


@pytest.fixture
async def client(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test") as opened:
        yield opened


@pytest.fixture
def acme(client, issuer, cloud):
    return Tenant(new_tenant_name(), client, issuer, cloud)


@pytest.fixture
def globex(client, issuer, cloud):
    return Tenant(new_tenant_name(), client, issuer, cloud)
