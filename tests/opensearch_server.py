"""A real OpenSearch node of a test's own: nothing kept but its jars."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from localstack import opensearch_node
from localstack.opensearch_node import ADDRESS_VARIABLE, JARS
from tests.own_folders import own_folder


def can_run_node() -> bool:
    """Answer whether there is a node, or what one is made from."""
    return ADDRESS_VARIABLE in os.environ or opensearch_node.can_install(JARS)


def require_node() -> None:
    """Skip the test without a node and without Maven; on CI, where one must be, the test goes on and fails."""
    if not can_run_node() and os.environ.get("CI") != "true":
        pytest.skip(f"needs Maven for a real OpenSearch node, or {ADDRESS_VARIABLE}")


@contextmanager
def running_node() -> Iterator[str]:
    """Give the address of a node for as long as the block runs: the one that the environment names, or one's own."""
    with own_folder("opensearch") as folder:
        try:
            yield opensearch_node.start(folder, JARS)
        finally:
            opensearch_node.stop(folder)
