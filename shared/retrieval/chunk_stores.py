"""What a chunk index must do besides, so that a tenant's chunks can be counted, copied and taken away (T6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.kernel.ids import DocumentId, Generation, TenantId
from shared.retrieval.ports import ChunkIndex, IndexedChunk, Scope


@dataclass(frozen=True, slots=True)
class ChunkKey:
    """Which chunk it is, inside one tenant."""

    scope: Scope
    document_id: DocumentId
    generation: Generation
    ordinal: int


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as it was written, vector and metadata included, and the scope that it is in."""

    scope: Scope
    chunk: IndexedChunk

    @property
    def key(self) -> ChunkKey:
        return ChunkKey(self.scope, self.chunk.document_id, self.chunk.generation, self.chunk.ordinal)


class ChunkStore(ChunkIndex, Protocol):
    """A chunk index whose chunks can be listed. What is listed includes every write that finished before."""

    async def count(self, tenant: TenantId) -> int:
        """Return how many chunks the tenant has, of all knowledge bases and index generations."""
        ...

    async def scan(self, tenant: TenantId, after: ChunkKey | None, limit: int) -> list[StoredChunk]:
        """Return up to `limit` chunks (1 to 1,000) after `after`, in an order of this store that never changes.

        `after` need not be there any more. Chunks of one document generation follow one another.
        """
        ...

    async def fetch(self, tenant: TenantId, keys: Sequence[ChunkKey]) -> list[StoredChunk]:
        """Return those of `keys` (at most 1,000) that are there, in any order."""
        ...

    async def remove(self, tenant: TenantId, keys: Sequence[ChunkKey]) -> None:
        """Remove chunks (at most 1,000); what is not there is no error."""
        ...

    async def vacate(self, tenant: TenantId) -> None:
        """Give back what was kept for this tenant alone, such as an index of its own; its chunks were removed."""
        ...
