"""Real servers that the contract tests start by script, only when a test asks for one."""

from collections.abc import Iterator

import pytest

from tests.ambient import reaching_all
from tests.ingestion.cloud import Cloud, running_cloud
from tests.opensearch_server import require_node, running_node


@pytest.fixture(autouse=True, scope="package")
def _reaching_all() -> Iterator[None]:
    """These tests ask stores themselves, for whatever tenants."""
    with reaching_all():
        yield


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An emulator of the module's own, with all that is declared in it."""
    with running_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="session")
def opensearch_address() -> Iterator[str]:
    """A real node: the one that the environment names, or one of this session's own."""
    require_node()
    with running_node() as address:
        yield address
