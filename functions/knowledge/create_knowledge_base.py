"""Create a knowledge base (K1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import IdempotencyKey, KnowledgeBaseId
from shared.knowledge.catalogue import missing_base
from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.descriptions import KnowledgeBaseDescription
from shared.knowledge.reach import reaches_base
from shared.knowledge.requests import CreateKnowledgeBaseRequest
from shared.operations.capabilities import IDENTITY, METADATA
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /knowledge-bases",
    permission=Permission.KNOWLEDGE_BASE_WRITE,
    rate_class=RateClass.WRITE,
    status=201,
    uses=[METADATA.read, METADATA.write, IDENTITY.read],
)
async def create_knowledge_base(
    request: CreateKnowledgeBaseRequest,
    caller: Caller,
    services: Services,
    idempotency_key: IdempotencyKey | None = None,
) -> KnowledgeBaseDescription:
    """Create an empty knowledge base. Repeated with the same Idempotency-Key, it answers with the same base.

    Raises: InvalidConfigurationError, DocumentLimitAbovePlanError, CapacityExhaustedError, WorkspaceNotFoundError,
    IdempotencyKeyReusedError; KnowledgeBaseNotFoundError when the base of a repeated request is gone or out of reach.
    """
    asked_for = request.model_dump_json()
    workspace_id = await services.tenancy.workspaces.choose(caller, request.workspace_id)
    kb_id = await services.repeated_requests.choose_id(caller, "kb", idempotency_key, asked_for)
    base = await services.knowledge_bases.create(
        caller.tenant,
        request.name,
        caller.figures,
        kb_id=KnowledgeBaseId(kb_id),
        description=request.description,
        config=request.config.applied_to(KnowledgeBaseConfig()),
        document_limit=request.document_limit,
        workspace_id=workspace_id,
        shared_with_viewers=request.shared_with_viewers,
    )
    # What a repeated request finds may have been moved since, or its caller limited.
    if not reaches_base(caller, base):
        raise missing_base()
    return await services.catalogue.describe_base(base)
