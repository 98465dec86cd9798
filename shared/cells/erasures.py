"""What was deleted while its tenant moved: told to the end of the move, since a copy under way may bring it back (T6).

What is deleted is never written again: a document's next content has another generation, and so has a base's index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.kernel.ids import DocumentId, Generation, IndexGeneration, KnowledgeBaseId, TenantId


@dataclass(frozen=True, slots=True)
class Erasure:
    """One document generation of one index generation; without a document, the whole index generation of a base."""

    kb_id: KnowledgeBaseId
    index_generation: IndexGeneration
    document_id: DocumentId | None = None
    generation: Generation = 0


class ErasureStore(Protocol):
    """Erasures of tenants that move. Reads are strongly consistent."""

    async def note(self, tenant: TenantId, erasure: Erasure) -> None:
        """Remember an erasure that is about to be done; twice is once."""
        ...

    async def noted(self, tenant: TenantId, limit: int) -> Sequence[Erasure]:
        """Return up to `limit` of them."""
        ...

    async def forget(self, tenant: TenantId, erasures: Sequence[Erasure]) -> None: ...
