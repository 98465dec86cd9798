"""Delete a document (K2, K12)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import DocumentId, KnowledgeBaseId
from shared.operations.capabilities import METADATA, PARSE_QUEUE, SWEEP_QUEUE, UPLOADS
from shared.operations.declaration import RateClass, operation


@operation(
    "DELETE /knowledge-bases/{kb_id}/documents/{document_id}",
    permission=Permission.DOCUMENT_WRITE,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[METADATA.read, METADATA.write, UPLOADS.list_versions, UPLOADS.delete, PARSE_QUEUE.send, SWEEP_QUEUE.send],
)
async def delete_document(kb_id: KnowledgeBaseId, document_id: DocumentId, caller: Caller, services: Services) -> None:
    """Delete a document: from now on nothing of it is served; its file, text and chunks are destroyed afterwards.

    Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError, also when they belong to another tenant; RetryLaterError.
    """
    await services.documents.delete(caller.tenant, kb_id, document_id)
