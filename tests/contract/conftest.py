"""Real servers that the contract tests start by script, only when a test asks for one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localstack import opensearch_node
from tests.ingestion.cloud import Cloud, running_cloud
from tests.own_folders import own_folder

JARS = Path(__file__).resolve().parents[2] / ".tessera" / "opensearch" / "jars"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An emulator of the module's own, with all that is declared in it."""
    with running_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="session")
def opensearch_address() -> Iterator[str]:
    """A real node: the one that the environment names, or one of this session's own."""
    is_named = opensearch_node.ADDRESS_VARIABLE in os.environ
    if not is_named and not opensearch_node.can_install(JARS) and os.environ.get("CI") != "true":
        pytest.skip("needs Maven for a real OpenSearch node, or OPENSEARCH_URL")
    with own_folder("opensearch") as folder:
        try:
            yield opensearch_node.start(folder, JARS)
        finally:
            opensearch_node.stop(folder)
