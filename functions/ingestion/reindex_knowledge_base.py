"""Index a knowledge base a second time without downtime (K12)."""

from shared.composition.services import Services
from shared.knowledge.messages import AdvanceReindex
from shared.operations.capabilities import METADATA, PARSE_QUEUE, REINDEX_QUEUE, SWEEP_QUEUE
from shared.operations.declaration import operation


@operation(
    REINDEX_QUEUE,
    uses=[METADATA.read, METADATA.write, PARSE_QUEUE.send, REINDEX_QUEUE.send, SWEEP_QUEUE.send],
    timeout_s=60,
)
async def reindex_knowledge_base(message: AdvanceReindex, services: Services) -> None:
    """Scan one page of a base that is re-indexed: start what lacks the target, and flip when nothing does."""
    await services.ingestion.reindexing.advance(message)
