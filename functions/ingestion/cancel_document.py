"""Stop what is under way for a document (K2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import DocumentId, KnowledgeBaseId
from shared.knowledge.descriptions import DocumentDescription
from shared.operations.capabilities import METADATA, PARSE_QUEUE, SWEEP_QUEUE
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /knowledge-bases/{kb_id}/documents/{document_id}/cancel",
    permission=Permission.DOCUMENT_WRITE,
    rate_class=RateClass.WRITE,
    uses=[METADATA.read, METADATA.write, PARSE_QUEUE.send, SWEEP_QUEUE.send],
)
async def cancel_document(
    kb_id: KnowledgeBaseId, document_id: DocumentId, caller: Caller, services: Services
) -> DocumentDescription:
    """Stop the latest upload of a document, wherever it is; what is served of an earlier one stays served.

    Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError, NothingToCancelError, RetryLaterError.
    """
    await services.documents.cancel(caller.tenant, kb_id, document_id)
    return await services.catalogue.document(caller.tenant, kb_id, document_id)
