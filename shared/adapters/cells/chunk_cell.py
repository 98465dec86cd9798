"""One cell of chunks, as a move sees it: a chunk store, and gates that stand beside it.

A chunk store cannot look at a gate in the same step as at a chunk, so an access looks after it: epochs only rise, so
an epoch that is still the gate's was the gate's all the while. What writes or removes chunks looks before, too. Whoever
stalls between a look and the access it allows is late by less than the longest life of a process, and for so long a
move does not end (`TenantMover.stragglers`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from shared.adapters.cells.records import chunk_of, entry_of, key_of, record_of
from shared.cells.erasures import Erasure, ErasureStore
from shared.cells.gates import Gate, GateRole, StaleEpochError
from shared.cells.models import CellId
from shared.cells.ports import Entry, GateStore, Record
from shared.kernel.ids import TenantId
from shared.retrieval.chunk_stores import ChunkStore, StoredChunk
from shared.retrieval.ports import IndexedChunk, Scope

ERASURES_AT_ONCE: Final = 100

_LEFT: Final = frozenset({GateRole.HANDED_OVER, GateRole.SHUT})


class ChunkStores(Protocol):
    """The chunk stores, by place."""

    def of(self, place: CellId) -> ChunkStore:
        """Raises: CellNotFoundError for a place that this deployment does not know."""
        ...


@dataclass(frozen=True, slots=True)
class ChunkCell:
    """Implements `CellContents`."""

    place: CellId
    stores: ChunkStores
    gates: GateStore
    erasures: ErasureStore

    @property
    def store(self) -> ChunkStore:
        """Opened when it is first asked for: whoever only sets gates needs no chunks."""
        return self.stores.of(self.place)

    async def set_gate(self, tenant: TenantId, gate: Gate) -> Gate:
        return await self.gates.set_gate(tenant, self.place, gate)

    async def count(self, tenant: TenantId, epoch: int) -> int:
        total = await self.store.count(tenant)
        await self._look(tenant, epoch)
        return total

    async def read(self, tenant: TenantId, keys: Sequence[str], epoch: int) -> dict[str, Record]:
        records = [record_of(stored) for stored in await self._fetch(tenant, keys, epoch)]
        return {record.key: record for record in records}

    async def absorb(self, tenant: TenantId, records: Sequence[Record], epoch: int) -> None:
        if not (await self._look(tenant, epoch)).takes_writes:
            raise StaleEpochError(await self.gates.gate(tenant, self.place))
        by_scope: dict[Scope, list[IndexedChunk]] = {}
        for record in records:
            stored = chunk_of(record)
            by_scope.setdefault(stored.scope, []).append(stored.chunk)
        for scope, chunks in by_scope.items():
            await self.store.write(tenant, scope, chunks)
        await self._look(tenant, epoch)

    async def entries(self, tenant: TenantId, after: str, limit: int, epoch: int) -> list[Entry]:
        page = await self.store.scan(tenant, key_of(after) if after else None, limit)
        await self._look(tenant, epoch)
        return [entry_of(stored) for stored in page]

    async def entries_of(self, tenant: TenantId, keys: Sequence[str], epoch: int) -> dict[str, Entry]:
        entries = [entry_of(stored) for stored in await self._fetch(tenant, keys, epoch)]
        return {entry.key: entry for entry in entries}

    async def remove(self, tenant: TenantId, keys: Sequence[str], epoch: int) -> None:
        if (await self._look(tenant, epoch)).role not in _LEFT:
            raise StaleEpochError(await self.gates.gate(tenant, self.place))
        await self.store.remove(tenant, [key_of(key) for key in keys])

    async def settle(self, tenant: TenantId, epoch: int) -> None:
        await self._look(tenant, epoch)
        while erasures := await self.erasures.noted(tenant, ERASURES_AT_ONCE):
            for erasure in erasures:
                await erase(self.store, tenant, erasure)
            await self.erasures.forget(tenant, erasures)

    async def vacate(self, tenant: TenantId, epoch: int) -> None:
        await self._look(tenant, epoch)
        await self.store.vacate(tenant)

    async def _fetch(self, tenant: TenantId, keys: Sequence[str], epoch: int) -> list[StoredChunk]:
        found = await self.store.fetch(tenant, [key_of(key) for key in keys])
        await self._look(tenant, epoch)
        return found

    async def _look(self, tenant: TenantId, epoch: int) -> Gate:
        gate = await self.gates.gate(tenant, self.place)
        if not gate.is_at(epoch):
            raise StaleEpochError(gate)
        return gate


@dataclass(frozen=True, slots=True)
class ChunkCells:
    """Implements `MovableCells`."""

    stores: ChunkStores
    gates: GateStore
    erasures: ErasureStore

    def of(self, cell_id: CellId) -> ChunkCell:
        return ChunkCell(cell_id, self.stores, self.gates, self.erasures)


async def erase(store: ChunkStore, tenant: TenantId, erasure: Erasure) -> int:
    """Delete what an erasure names; return how many chunks of a document generation that were."""
    scope = Scope(erasure.kb_id, erasure.index_generation)
    if erasure.document_id is None:
        await store.delete_scope(tenant, scope)
        return 0
    return await store.delete_document_generation(tenant, scope, erasure.document_id, erasure.generation)
