"""Change a knowledge base (K1, K12)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import KnowledgeBaseId
from shared.knowledge.descriptions import KnowledgeBaseDescription
from shared.knowledge.requests import UpdateKnowledgeBaseRequest
from shared.operations.capabilities import IDENTITY, METADATA, REINDEX_QUEUE
from shared.operations.declaration import RateClass, operation


@operation(
    "PATCH /knowledge-bases/{kb_id}",
    permission=Permission.KNOWLEDGE_BASE_WRITE,
    rate_class=RateClass.WRITE,
    uses=[METADATA.read, METADATA.write, IDENTITY.read, REINDEX_QUEUE.send],
)
async def update_knowledge_base(
    kb_id: KnowledgeBaseId, request: UpdateKnowledgeBaseRequest, caller: Caller, services: Services
) -> KnowledgeBaseDescription:
    """Change what the request names and leave the rest; `reindexing` says whether documents are indexed anew.

    While they are, the old configuration is served and searches go on as before.

    Raises: KnowledgeBaseNotFoundError, InvalidConfigurationError, KnowledgeBaseReindexingError,
    DocumentLimitAbovePlanError, WorkspaceNotFoundError, RetryLaterError.
    """
    if request.workspace_id is not None:
        await services.tenancy.workspaces.choose(caller, request.workspace_id)
    base = await services.knowledge_bases.update(caller.tenant, kb_id, request.to_change(), caller.figures)
    return await services.catalogue.describe_base(base)
