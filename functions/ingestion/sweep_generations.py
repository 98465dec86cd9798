"""Stage five of ingestion: destroy what nobody may read any more (K12, invariant 2)."""

from shared.composition.services import Services
from shared.knowledge.messages import Sweep, SweepDocument
from shared.operations.capabilities import ARTIFACTS, CELLS, METADATA, PARSE_QUEUE, SWEEP_QUEUE, UPLOADS, VECTORS
from shared.operations.declaration import operation


@operation(
    SWEEP_QUEUE,
    uses=[
        METADATA.read,
        METADATA.write,
        UPLOADS.get,
        UPLOADS.delete,
        UPLOADS.purge,
        ARTIFACTS.purge,
        VECTORS.write,
        CELLS.read,
        CELLS.write,
        PARSE_QUEUE.send,
        SWEEP_QUEUE.send,
    ],
    timeout_s=120,
)
async def sweep_generations(message: Sweep, services: Services) -> None:
    """Clear what is due of one document or of one knowledge base; too early or twice changes nothing.

    Raises: RetryLaterError while others keep changing the same records.
    """
    match message.root:
        case SweepDocument() as of_document:
            await services.ingestion.sweeping.sweep_document(of_document)
        case of_base:
            await services.ingestion.sweeping.sweep_knowledge_base(of_base)
