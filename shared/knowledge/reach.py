"""Which knowledge bases a caller reaches; all others look exactly like missing ones (T3)."""

from dataclasses import dataclass

from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.kernel.ids import KnowledgeBaseId
from shared.knowledge.catalogue import existing_base, missing_base
from shared.knowledge.models import KnowledgeBase
from shared.knowledge.ports import KnowledgeBaseRepository


def reaches_base(caller: Caller, base: KnowledgeBase) -> bool:
    """Answer whether a base stands in a workspace of the caller's and, for a viewer, is shared with the role."""
    return caller.reaches(base.workspace) and (base.shared_with_viewers or caller.role is not Role.VIEWER)


@dataclass(frozen=True, slots=True)
class KnowledgeBaseReach:
    """Looks at a base before a request about it is read any further."""

    bases: KnowledgeBaseRepository

    async def check(self, caller: Caller, kb_id: KnowledgeBaseId) -> None:
        """Accept what the caller reaches; whoever reaches all of the tenant's bases costs no look.

        Raises: KnowledgeBaseNotFoundError, the same for what is not there and for what is out of reach.
        """
        if caller.workspaces is None and caller.role is not Role.VIEWER:
            return
        if not reaches_base(caller, await existing_base(self.bases, caller.tenant, kb_id)):
            raise missing_base()
