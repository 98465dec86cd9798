"""Stage four of ingestion: read back, then flip the live generation (K2, invariants 1, 2)."""

from shared.composition.services import Services
from shared.knowledge.messages import PublishDocument
from shared.operations.capabilities import (
    CELLS,
    INDEX_QUEUE,
    METADATA,
    PARSE_QUEUE,
    PUBLISH_QUEUE,
    SWEEP_QUEUE,
    VECTORS,
)
from shared.operations.declaration import operation


@operation(
    PUBLISH_QUEUE,
    uses=[
        METADATA.read,
        METADATA.write,
        VECTORS.write,
        CELLS.read,
        PARSE_QUEUE.send,
        INDEX_QUEUE.send,
        SWEEP_QUEUE.send,
    ],
    timeout_s=60,
)
async def publish_document(message: PublishDocument, services: Services) -> None:
    """Serve a generation once a search finds all of it; doing it twice changes nothing.

    Raises: BusyError, AttemptFailedError, AttemptsExhaustedError.
    """
    await services.ingestion.publishing.publish(message)
