"""Look at one document and how far it got (K2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import DocumentId, KnowledgeBaseId
from shared.knowledge.descriptions import DocumentDescription
from shared.operations.capabilities import METADATA
from shared.operations.declaration import RateClass, operation


@operation(
    "GET /knowledge-bases/{kb_id}/documents/{document_id}",
    permission=Permission.DOCUMENT_READ,
    rate_class=RateClass.READ,
    uses=[METADATA.read],
)
async def get_document(
    kb_id: KnowledgeBaseId, document_id: DocumentId, caller: Caller, services: Services
) -> DocumentDescription:
    """Describe a document: status, stage, attempt, timings and estimate of its latest upload, and what is served of it.

    Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError, also when they belong to another tenant.
    """
    return await services.catalogue.document(caller.tenant, kb_id, document_id)
