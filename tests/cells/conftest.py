"""An emulator, and a real OpenSearch node."""

from tests.contract.conftest import cloud, opensearch_address

__all__ = ["cloud", "opensearch_address"]
