"""Ask one knowledge base and get ranked chunks (K7)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import KnowledgeBaseId
from shared.operations.capabilities import CELLS, EMBEDDER, METADATA, VECTORS
from shared.operations.declaration import RateClass, operation
from shared.retrieval.requests import SearchRequest
from shared.retrieval.responses import SearchResponse


@operation(
    "POST /knowledge-bases/{kb_id}/search",
    permission=Permission.SEARCH,
    rate_class=RateClass.READ,
    uses=[METADATA.read, VECTORS.search, CELLS.read, EMBEDDER],
    memory_mb=1024,
    timeout_s=10,
)
async def search_knowledge_base(
    kb_id: KnowledgeBaseId, request: SearchRequest, caller: Caller, services: Services
) -> SearchResponse:
    """Rank the chunks of a knowledge base for a query, by words, by meaning, or both; best first.

    Only what is live now is shown. When a part is out of service the rest answers, and `degraded` says so.

    Raises: KnowledgeBaseNotFoundError, also when the base belongs to another tenant; InvalidQueryError,
    InvalidFilterError, InvalidFieldError, InvalidPageTokenError, IndexUnavailableError.
    """
    result = await services.retrieval.search(caller.tenant, kb_id, request.to_query(caller.tenant, kb_id))
    return SearchResponse.from_result(result)
