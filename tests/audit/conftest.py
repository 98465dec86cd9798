"""One emulator for all tests of the audit log; each test has tenants of its own."""

import secrets

import pytest

from shared.kernel.ids import TenantId
from tests.audit.logs import Log
from tests.ingestion.cloud import running_cloud
from tests.ingestion.functions import Functions


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="session")
def functions(cloud):
    return Functions(cloud)


@pytest.fixture
def log(cloud):
    """The log of a tenant that nothing is known of yet."""
    return Log(cloud, TenantId(f"audited-{secrets.token_hex(6)}"))


@pytest.fixture
def other_log(cloud):
    return Log(cloud, TenantId(f"audited-{secrets.token_hex(6)}"))
