"""Stage three of ingestion: one batch of chunks, embedded and written to the index (K2, K5, K6)."""

from shared.composition.services import Services
from shared.knowledge.messages import IndexChunks
from shared.operations.capabilities import (
    ARTIFACTS,
    CELLS,
    EMBEDDER,
    EMBEDDINGS,
    INDEX_QUEUE,
    METADATA,
    PARSE_QUEUE,
    PUBLISH_QUEUE,
    VECTORS,
)
from shared.operations.declaration import operation


@operation(
    INDEX_QUEUE,
    uses=[
        METADATA.read,
        METADATA.write,
        ARTIFACTS.get,
        EMBEDDER,
        EMBEDDINGS.read,
        EMBEDDINGS.write,
        VECTORS.write,
        CELLS.read,
        CELLS.write,
        PARSE_QUEUE.send,
        PUBLISH_QUEUE.send,
    ],
    max_concurrency=4,
    memory_mb=2048,
    timeout_s=120,
)
async def index_chunks(message: IndexChunks, services: Services) -> None:
    """Embed one batch of chunks and write it; the last batch hands the document on. Doing it twice changes nothing.

    Raises: BusyError, AttemptFailedError, AttemptsExhaustedError.
    """
    await services.ingestion.indexing.index(message)
