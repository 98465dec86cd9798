"""A chunk index of each kind, started for one evaluation."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from shared.adapters.minilm.model import DIMENSIONS
from shared.retrieval.ports import ChunkIndex

STORES: Final = ("sqlite", "opensearch")

_JARS: Final = Path(__file__).resolve().parents[2] / ".tessera" / "opensearch" / "jars"


@asynccontextmanager
async def open_store(name: str) -> AsyncIterator[ChunkIndex]:
    """Give an empty chunk index, and remove what was started for it."""
    with tempfile.TemporaryDirectory(prefix="tessera-evaluation-", ignore_cleanup_errors=True) as folder:
        opened = _sqlite(Path(folder)) if name == "sqlite" else _opensearch(Path(folder))
        async with opened as index:
            yield index


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[ChunkIndex]:
    from shared.adapters.sqlite.chunk_index import SqliteChunkIndex

    index = SqliteChunkIndex(folder / "chunks.sqlite")
    try:
        yield index
    finally:
        index.close()


@asynccontextmanager
async def _opensearch(folder: Path) -> AsyncIterator[ChunkIndex]:
    """Use the node that the environment names, or start a real one for the occasion."""
    from localstack import opensearch_node
    from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
    from shared.adapters.opensearch.client import connect
    from shared.adapters.opensearch.layout import IndexLayout

    try:
        client = connect(await asyncio.to_thread(opensearch_node.start, folder / "node", _JARS))
        layout = IndexLayout(f"evaluation-{secrets.token_hex(4)}", DIMENSIONS, replicas=0)
        try:
            yield OpenSearchChunkIndex(client, layout)
        finally:
            client.indices.delete(index=layout.physical_name, ignore_unavailable=True)
            client.close()
    finally:
        await asyncio.to_thread(opensearch_node.stop, folder / "node")
