"""Find what stalled: killed processes, lost messages, uploads that never came (K2, invariant 8)."""

from shared.composition.services import Services
from shared.operations.capabilities import (
    ACCEPT_QUEUE,
    FETCH_QUEUE,
    IDENTITY,
    INDEX_QUEUE,
    METADATA,
    PARSE_QUEUE,
    PUBLISH_QUEUE,
    REINDEX_QUEUE,
    SWEEP_QUEUE,
    UPLOADS,
)
from shared.operations.declaration import ScheduleTrigger, operation


@operation(
    ScheduleTrigger(every_minutes=1),
    uses=[
        METADATA.read,
        METADATA.query_indexes,
        METADATA.write,
        IDENTITY.read,
        UPLOADS.get,
        ACCEPT_QUEUE.send,
        FETCH_QUEUE.send,
        PARSE_QUEUE.send,
        INDEX_QUEUE.send,
        PUBLISH_QUEUE.send,
        REINDEX_QUEUE.send,
        SWEEP_QUEUE.send,
    ],
    across_tenants="a schedule looks after what is due, whosever it is",
    timeout_s=60,
)
async def recover_stuck_documents(services: Services) -> dict[str, int]:
    """Look at every record that is overdue; late or doubled does no harm. Returns how many were found and moved."""
    recovered = await services.ingestion.recovery.recover()
    return {"found": recovered.found, "moved": recovered.moved}
