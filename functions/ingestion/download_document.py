"""Get the original file of a document (K2)."""

from datetime import datetime

from pydantic import BaseModel

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId
from shared.operations.capabilities import METADATA, UPLOADS
from shared.operations.declaration import RateClass, operation


class DocumentDownload(BaseModel):
    """Where the original is until `expires_at`; send no Authorization header there."""

    name: str
    generation: Generation
    size_bytes: int
    url: str
    expires_at: datetime


@operation(
    "GET /knowledge-bases/{kb_id}/documents/{document_id}/download",
    permission=Permission.DOCUMENT_READ,
    rate_class=RateClass.READ,
    uses=[METADATA.read, UPLOADS.get],
)
async def download_document(
    kb_id: KnowledgeBaseId, document_id: DocumentId, caller: Caller, services: Services
) -> DocumentDownload:
    """Link to the original file of the version that is served: what answers quote.

    Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError, ContentGoneError when no version is served.
    """
    download = await services.originals.download(caller.tenant, kb_id, document_id)
    return DocumentDownload(
        name=download.name,
        generation=download.generation,
        size_bytes=download.size_bytes,
        url=download.url,
        expires_at=download.expires_at,
    )
