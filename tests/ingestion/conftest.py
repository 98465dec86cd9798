"""One emulator for all tests of ingestion."""

import pytest

from tests.ingestion.cloud import running_cloud
from tests.ingestion.functions import Functions


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="session")
def functions(cloud):
    return Functions(cloud)
