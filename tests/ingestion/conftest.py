"""One emulator for all tests of ingestion."""

import pytest

from tests.ambient import looking_on
from tests.ingestion.cloud import running_cloud
from tests.ingestion.functions import Functions


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="session")
def functions(cloud):
    return Functions(cloud)


@pytest.fixture(autouse=True)
def _looking_on():
    """These tests reach services past their entry; functions are invoked without anything ambient."""
    with looking_on():
        yield
