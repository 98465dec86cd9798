"""The indexes of a cell that belong to one tenant each (T5), as one store: the tenant says which."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from shared.kernel.ids import DocumentId, Generation, TenantId
from shared.kernel.tenants import AdmittedTenant, admitted
from shared.retrieval.chunk_stores import ChunkKey, ChunkStore, StoredChunk
from shared.retrieval.fields import Condition
from shared.retrieval.ports import Hit, IndexedChunk, ReadBack, Scope, Vector

MOST_OPEN: Final = 100


class OwnIndexes:
    """Implements `ChunkStore` on a store per tenant, each made by `open_store` and kept while it is used."""

    def __init__(self, open_store: Callable[[AdmittedTenant], ChunkStore]) -> None:
        self._open_store = open_store
        self._open: OrderedDict[AdmittedTenant, ChunkStore] = OrderedDict()

    async def write(self, tenant: TenantId, scope: Scope, chunks: Sequence[IndexedChunk]) -> None:
        await self._of(tenant).write(tenant, scope, chunks)

    async def refresh(self, tenant: TenantId, scope: Scope) -> None:
        await self._of(tenant).refresh(tenant, scope)

    async def read_back(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation, last_ordinal: int
    ) -> ReadBack:
        return await self._of(tenant).read_back(tenant, scope, document_id, generation, last_ordinal)

    async def search_keyword(
        self,
        tenant: TenantId,
        scope: Scope,
        query: str,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        return await self._of(tenant).search_keyword(tenant, scope, query, limit, conditions, without)

    async def search_vector(
        self,
        tenant: TenantId,
        scope: Scope,
        vector: Vector,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        return await self._of(tenant).search_vector(tenant, scope, vector, limit, conditions, without)

    async def delete_document_generation(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation
    ) -> int:
        return await self._of(tenant).delete_document_generation(tenant, scope, document_id, generation)

    async def delete_scope(self, tenant: TenantId, scope: Scope) -> None:
        await self._of(tenant).delete_scope(tenant, scope)

    async def count(self, tenant: TenantId) -> int:
        return await self._of(tenant).count(tenant)

    async def scan(self, tenant: TenantId, after: ChunkKey | None, limit: int) -> list[StoredChunk]:
        return await self._of(tenant).scan(tenant, after, limit)

    async def fetch(self, tenant: TenantId, keys: Sequence[ChunkKey]) -> list[StoredChunk]:
        return await self._of(tenant).fetch(tenant, keys)

    async def remove(self, tenant: TenantId, keys: Sequence[ChunkKey]) -> None:
        await self._of(tenant).remove(tenant, keys)

    async def vacate(self, tenant: TenantId) -> None:
        await self._of(tenant).vacate(tenant)

    def _of(self, tenant: TenantId) -> ChunkStore:
        own = admitted(tenant)
        store = self._open.get(own) or self._open_store(own)
        self._open[own] = store
        self._open.move_to_end(own)
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return store
