"""Stage one of ingestion: somebody says that objects changed (K2)."""

from shared.composition.services import Services
from shared.knowledge.messages import LookAgain
from shared.operations.capabilities import ACCEPT_QUEUE, IDENTITY, METADATA, PARSE_QUEUE, SWEEP_QUEUE, UPLOADS
from shared.operations.declaration import operation


@operation(
    ACCEPT_QUEUE,
    uses=[
        METADATA.read,
        METADATA.write,
        IDENTITY.read,
        UPLOADS.get,
        ACCEPT_QUEUE.send,
        PARSE_QUEUE.send,
        SWEEP_QUEUE.send,
    ],
    batch_size=5,
    memory_mb=1024,
    timeout_s=60,
    across_tenants="a notification of the bucket names objects of whomever; each is only sent on, as its tenant's",
)
async def accept_upload(message: LookAgain, services: Services) -> None:
    """Look at each named object, and start what it needs; late, repeated and reordered events change nothing.

    Raises: RetryLaterError while others keep changing the same document.
    """
    await services.ingestion.intake.take(message)
