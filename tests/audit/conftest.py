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
def new_log(cloud):
    """Return what makes logs of tenants that nothing is known of yet, and that no schedule finds after the test."""
    made = []

    def new():
        made.append(Log(cloud, TenantId(f"audited-{secrets.token_hex(6)}")))
        return made[-1]

    yield new
    for log in made:
        for item in log.items().values():
            if "pending_partition" in item:
                log.delete(item)


@pytest.fixture
def log(new_log):
    return new_log()


@pytest.fixture
def other_log(new_log):
    return new_log()
