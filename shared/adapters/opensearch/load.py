"""How full an OpenSearch domain is."""

import asyncio
from typing import Any

from opensearchpy import OpenSearch

from shared.adapters.opensearch.client import translated_failures

_METRICS = "os,fs"


class OpenSearchLoad:
    """Implements `CellProbe`: of the fullest node the used share of disk or processor, whichever is larger."""

    def __init__(self, client: OpenSearch) -> None:
        self._client = client

    async def load(self) -> float:
        """Raises: IndexUnavailableError."""
        with translated_failures():
            answer: dict[str, Any] = await asyncio.to_thread(self._client.nodes.stats, metric=_METRICS)
        return max((max(_disk(node), _processor(node)) for node in answer["nodes"].values()), default=0.0)


def _disk(node: dict[str, Any]) -> float:
    total: dict[str, int] = node.get("fs", {}).get("total", {})
    size = total.get("total_in_bytes", 0)
    return 1 - total.get("available_in_bytes", size) / size if size else 0.0


def _processor(node: dict[str, Any]) -> float:
    percent: int = node.get("os", {}).get("cpu", {}).get("percent", 0)
    return max(percent, 0) / 100
