"""Stage two of ingestion: canonical text and chunks of one generation (K2, K3, K4)."""

from shared.composition.services import Services
from shared.knowledge.messages import ParseDocument
from shared.operations.capabilities import (
    ACCEPT_QUEUE,
    ARTIFACTS,
    INDEX_QUEUE,
    METADATA,
    PARSE_QUEUE,
    PARSER,
    TOKENIZER,
    UPLOADS,
)
from shared.operations.declaration import operation


@operation(
    PARSE_QUEUE,
    uses=[
        METADATA.read,
        METADATA.write,
        UPLOADS.get,
        ARTIFACTS.get,
        ARTIFACTS.put,
        PARSER,
        TOKENIZER,
        ACCEPT_QUEUE.send,
        PARSE_QUEUE.send,
        INDEX_QUEUE.send,
    ],
    max_concurrency=4,
    memory_mb=2048,
    timeout_s=120,
)
async def parse_document(message: ParseDocument, services: Services) -> None:
    """Parse one document and cut it into chunks, once per generation; doing it twice changes nothing.

    Raises: BusyError, AttemptFailedError, AttemptsExhaustedError.
    """
    await services.ingestion.parsing.parse(message)
