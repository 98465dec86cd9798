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
from tests.ambient import looking_on
from tests.opensearch_server import running_node

STORES: Final = ("sqlite", "opensearch")


@asynccontextmanager
async def open_store(name: str) -> AsyncIterator[ChunkIndex]:
    """Give an empty chunk index, and remove what was started for it."""
    with tempfile.TemporaryDirectory(prefix="tessera-evaluation-", ignore_cleanup_errors=True) as folder:
        opened = _sqlite(Path(folder)) if name == "sqlite" else _opensearch()
        # Whoever opens a store of their own asks it for whomever they like.
        with looking_on():
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
async def _opensearch() -> AsyncIterator[ChunkIndex]:
    """Use the node that the environment names, or start a real one for the occasion."""
    from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
    from shared.adapters.opensearch.client import connect
    from shared.adapters.opensearch.layout import IndexLayout

    node = running_node()
    client = connect(await asyncio.to_thread(node.__enter__))
    try:
        layout = IndexLayout(f"evaluation-{secrets.token_hex(4)}", DIMENSIONS, replicas=0)
        try:
            yield OpenSearchChunkIndex(client, layout)
        finally:
            client.indices.delete(index=layout.physical_name, ignore_unavailable=True)
            client.close()
    finally:
        await asyncio.to_thread(node.__exit__, None, None, None)
