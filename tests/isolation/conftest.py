"""The whole API in this process, as the tests of it have it, and an identity provider for both tenants to connect."""

import secrets
from ipaddress import IPv4Address

import httpx
import pytest

from tests.api.conftest import (
    _clients_of_this_cloud,
    _clock_of_the_door,
    app,
    bystander,
    cloud,
    embedder,
    index,
    issuer,
    people,
    publish,
)
from tests.contract.conftest import opensearch_address
from tests.oidc.scripted_provider import ScriptedProvider

__all__ = [
    "_clients_of_this_cloud",
    "_clock_of_the_door",
    "address",
    "app",
    "bystander",
    "cloud",
    "embedder",
    "index",
    "issuer",
    "new_client",
    "opensearch_address",
    "people",
    "provider",
    "publish",
]


@pytest.fixture(scope="session")
def provider():
    with ScriptedProvider.listening() as listening:
        yield listening


@pytest.fixture
def address():
    """Make internet addresses that nobody had before, for what strangers send is counted by address."""
    return lambda: (str(IPv4Address(0x0A000000 + secrets.randbits(24))), 50_000)


@pytest.fixture
def new_client(app, address):
    """Make clients that nobody counted requests of."""
    return lambda: httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=address()), base_url="https://api.test"
    )  # fmt: skip
