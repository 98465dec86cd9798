"""An emulator, a real OpenSearch node, and whoever asks stores themselves."""

from collections.abc import Iterator

import pytest

from tests.ambient import reaching_all
from tests.contract.conftest import cloud, opensearch_address

__all__ = ["cloud", "opensearch_address"]


@pytest.fixture(autouse=True, scope="package")
def _reaching_all() -> Iterator[None]:
    """These tests ask stores themselves, for whatever tenants."""
    with reaching_all():
        yield
