"""List the documents of a knowledge base (K2)."""

from typing import Annotated

from pydantic import BaseModel, Field

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import KnowledgeBaseId
from shared.kernel.pages import DEFAULT_PAGE, MAX_PAGE, PageToken
from shared.knowledge.catalogue import DocumentFilter
from shared.knowledge.descriptions import DocumentDescription
from shared.knowledge.models import DocumentStatus
from shared.knowledge.requests import NamePrefix
from shared.operations.capabilities import METADATA
from shared.operations.declaration import RateClass, operation


class DocumentList(BaseModel):
    """One page; with `next_page_token` there may be more, even when this page is short or empty."""

    items: list[DocumentDescription]
    next_page_token: PageToken | None


@operation(
    "GET /knowledge-bases/{kb_id}/documents",
    permission=Permission.DOCUMENT_READ,
    rate_class=RateClass.READ,
    uses=[METADATA.read],
)
async def list_documents(
    kb_id: KnowledgeBaseId,
    caller: Caller,
    services: Services,
    status: DocumentStatus | None = None,
    name_prefix: NamePrefix | None = None,
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    page_token: PageToken | None = None,
) -> DocumentList:
    """List documents in a stable order; by status, by the beginning of their names, or both.

    Deleted documents are listed only by their status.

    Raises: KnowledgeBaseNotFoundError, InvalidPageTokenError.
    """
    wanted = DocumentFilter(status, name_prefix)
    page = await services.catalogue.documents_of(caller.tenant, kb_id, wanted, limit, page_token)
    return DocumentList(items=page.items, next_page_token=page.next_page_token)
