"""A chunk index of each kind, started for one evaluation."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from shared.retrieval.ports import ChunkIndex

STORES = ("sqlite", "opensearch")


@asynccontextmanager
async def open_store(name: str) -> AsyncIterator[ChunkIndex]:
    """Give an empty chunk index, and remove what was started for it."""
    from shared.adapters.sqlite.chunk_index import SqliteChunkIndex

    with tempfile.TemporaryDirectory(prefix="tessera-evaluation-") as folder:
        index = SqliteChunkIndex(Path(folder) / "chunks.sqlite")
        try:
            yield index
        finally:
            index.close()
