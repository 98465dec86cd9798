"""Look at one knowledge base (K1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import KnowledgeBaseId
from shared.knowledge.descriptions import KnowledgeBaseDescription
from shared.operations.capabilities import METADATA
from shared.operations.declaration import RateClass, operation


@operation(
    "GET /knowledge-bases/{kb_id}",
    permission=Permission.KNOWLEDGE_BASE_READ,
    rate_class=RateClass.READ,
    uses=[METADATA.read],
)
async def get_knowledge_base(kb_id: KnowledgeBaseId, caller: Caller, services: Services) -> KnowledgeBaseDescription:
    """Describe a knowledge base: configuration, documents, and whether it is being re-indexed.

    Raises: KnowledgeBaseNotFoundError, also when the base belongs to another tenant.
    """
    return await services.catalogue.knowledge_base(caller.tenant, kb_id)
