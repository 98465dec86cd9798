"""Delete a knowledge base with all it holds (K1, K12)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import KnowledgeBaseId
from shared.operations.capabilities import METADATA, SWEEP_QUEUE
from shared.operations.declaration import RateClass, operation


@operation(
    "DELETE /knowledge-bases/{kb_id}",
    permission=Permission.KNOWLEDGE_BASE_WRITE,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[METADATA.read, METADATA.write, SWEEP_QUEUE.send],
)
async def delete_knowledge_base(kb_id: KnowledgeBaseId, caller: Caller, services: Services) -> None:
    """Delete a knowledge base: from now on nothing of it is found; its files and texts are destroyed afterwards.

    Raises: KnowledgeBaseNotFoundError, also when the base belongs to another tenant; RetryLaterError.
    """
    await services.knowledge_bases.delete(caller.tenant, kb_id)
