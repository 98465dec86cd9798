"""List knowledge bases (K1)."""

from typing import Annotated

from pydantic import BaseModel, Field

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import WorkspaceId
from shared.kernel.pages import DEFAULT_PAGE, MAX_PAGE, PageToken
from shared.knowledge.descriptions import KnowledgeBaseDescription
from shared.knowledge.reach import reaches_base
from shared.operations.capabilities import METADATA
from shared.operations.declaration import RateClass, operation


class KnowledgeBaseList(BaseModel):
    """One page; with `next_page_token` there may be more, even when this page is short or empty."""

    items: list[KnowledgeBaseDescription]
    next_page_token: PageToken | None


@operation(
    "GET /knowledge-bases",
    permission=Permission.KNOWLEDGE_BASE_READ,
    rate_class=RateClass.READ,
    uses=[METADATA.read],
)
async def list_knowledge_bases(
    caller: Caller,
    services: Services,
    workspace_id: WorkspaceId | None = None,
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    page_token: PageToken | None = None,
) -> KnowledgeBaseList:
    """List the knowledge bases that the caller reaches, or those of one workspace, oldest first.

    Raises: InvalidPageTokenError.
    """
    page = await services.catalogue.knowledge_bases(
        caller.tenant,
        lambda base: reaches_base(caller, base) and workspace_id in (None, base.workspace),
        limit,
        page_token,
        workspace_id,
    )
    return KnowledgeBaseList(items=page.items, next_page_token=page.next_page_token)
