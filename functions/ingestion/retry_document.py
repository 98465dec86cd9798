"""Start a document anew after it failed or was cancelled (K2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import DocumentId, KnowledgeBaseId
from shared.knowledge.descriptions import DocumentDescription
from shared.operations.capabilities import FETCH_QUEUE, METADATA, PARSE_QUEUE, REINDEX_QUEUE, SWEEP_QUEUE, UPLOADS
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /knowledge-bases/{kb_id}/documents/{document_id}/retry",
    permission=Permission.DOCUMENT_WRITE,
    rate_class=RateClass.WRITE,
    status=202,
    uses=[
        METADATA.read,
        METADATA.write,
        UPLOADS.get,
        FETCH_QUEUE.send,
        PARSE_QUEUE.send,
        SWEEP_QUEUE.send,
        REINDEX_QUEUE.send,
    ],
)
async def retry_document(
    kb_id: KnowledgeBaseId, document_id: DocumentId, caller: Caller, services: Services
) -> DocumentDescription:
    """Process the file of a document again, as a new generation with three new attempts.

    A file that could not be fetched from its web address is fetched again; one that was is not, add its address anew
    for what stands there now.

    Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError, NothingToRetryError, ContentGoneError,
    DocumentLimitError, CapacityExhaustedError, RetryLaterError.
    """
    await services.documents.retry(caller.tenant, kb_id, document_id, caller.figures)
    return await services.catalogue.document(caller.tenant, kb_id, document_id)
