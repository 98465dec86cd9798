"""The chunk index of a deployment with several places: each tenant's requests go to where the tenant is (T6).

Where a tenant is, is remembered without a time limit. After each access the gate of the cell that decides is read: if
it is still at the epoch that was believed in, the access was right; else the placement is looked up again and the
access is repeated, which all of them allow. So a request begun in one state of a move and ended in another gives the
right answer, and none fails.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol, TypeVar

from shared.adapters.cells.chunk_cell import ChunkStores, erase
from shared.cells.erasures import Erasure, ErasureStore
from shared.cells.errors import CellNotFoundError, PlacementBusyError
from shared.cells.gates import FIRST_EPOCH, Gate, GateRole, StaleEpochError
from shared.cells.models import CellId
from shared.cells.placements import MoveState, Placement
from shared.cells.ports import GateStore
from shared.kernel.clock import Clock
from shared.kernel.errors import TesseraError
from shared.kernel.ids import DocumentId, Generation, TenantId
from shared.kernel.tenants import AdmittedTenant, admitted
from shared.retrieval.chunk_stores import ChunkKey, ChunkStore, StoredChunk
from shared.retrieval.fields import Condition
from shared.retrieval.ports import Hit, IndexedChunk, IndexUnavailableError, ReadBack, Scope, Vector

T = TypeVar("T")

TRIES: Final = 16
"""More than the gates of two whole moves could refuse."""

REMEMBERED: Final = 10_000
PAGE: Final = 500

_MIRRORED: Final = frozenset({MoveState.COPYING, MoveState.DUAL_READ, MoveState.VERIFIED})


class PlacementReader(Protocol):
    """Where tenants are; strongly consistent."""

    async def placement(self, tenant: TenantId) -> Placement | None: ...


class RoutedChunkIndex:
    """A `ChunkIndex` over the stores of all places. A tenant without a placement is in `default`.

    Until a move's switch the source answers and takes writes, and hands them on to the target, which may fail: the
    comparison brings what is missing. From the switch until the source is compared to its end, searches ask both.
    """

    def __init__(
        self,
        stores: ChunkStores,
        placements: PlacementReader,
        gates: GateStore,
        erasures: ErasureStore,
        clock: Clock,
        default: CellId,
    ) -> None:
        self._stores = stores
        self._placements = placements
        self._gates = gates
        self._erasures = erasures
        self._clock = clock
        self._default = default
        self._known: dict[AdmittedTenant, Placement] = {}
        self._staying: set[AdmittedTenant] = set()

    async def write(self, tenant: TenantId, scope: Scope, chunks: Sequence[IndexedChunk]) -> None:
        async def access(placement: Placement) -> None:
            await self._refuse_stale(placement)
            await self._changing(placement, lambda store: store.write(tenant, scope, chunks))

        await self._stay(tenant)
        await self._there(tenant, access)

    async def refresh(self, tenant: TenantId, scope: Scope) -> None:
        async def access(placement: Placement) -> None:
            await asyncio.gather(*(store.refresh(tenant, scope) for store in self._asked(placement)))

        await self._there(tenant, access)

    async def read_back(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation, last_ordinal: int
    ) -> ReadBack:
        async def access(placement: Placement) -> ReadBack:
            *sources, here = self._asked(placement)
            for source in sources:
                await _bring_forward(source, here, tenant, ChunkKey(scope, document_id, generation, -1))
                await here.refresh(tenant, scope)
            return await here.read_back(tenant, scope, document_id, generation, last_ordinal)

        return await self._there(tenant, access)

    async def search_keyword(
        self,
        tenant: TenantId,
        scope: Scope,
        query: str,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        return await self._search(
            tenant, limit, lambda store: store.search_keyword(tenant, scope, query, limit, conditions, without)
        )

    async def search_vector(
        self,
        tenant: TenantId,
        scope: Scope,
        vector: Vector,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        return await self._search(
            tenant, limit, lambda store: store.search_vector(tenant, scope, vector, limit, conditions, without)
        )

    async def delete_document_generation(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation
    ) -> int:
        return await self._erase(tenant, Erasure(scope.kb_id, scope.index_generation, document_id, generation))

    async def delete_scope(self, tenant: TenantId, scope: Scope) -> None:
        await self._erase(tenant, Erasure(scope.kb_id, scope.index_generation))

    async def _search(
        self, tenant: TenantId, limit: int, search: Callable[[ChunkStore], Awaitable[list[Hit]]]
    ) -> list[Hit]:
        async def access(placement: Placement) -> list[Hit]:
            answers = await asyncio.gather(*(search(store) for store in self._asked(placement)))
            return answers[0] if len(answers) == 1 else _merged(answers, limit)

        return await self._there(tenant, access)

    async def _erase(self, tenant: TenantId, erasure: Erasure) -> int:
        async def access(placement: Placement) -> int:
            move = placement.under_way
            if move is None:
                return await erase(self._store(placement.cell), tenant, erasure)
            # Noted first: a copy under way may bring back what is deleted under its hands.
            await self._erasures.note(tenant, erasure)
            if move.state is MoveState.SWITCHED:
                counts = [await erase(store, tenant, erasure) for store in self._asked(placement)]
                return max(counts)
            return await self._changing(placement, lambda store: erase(store, tenant, erasure))

        return await self._there(tenant, access)

    async def _changing(self, placement: Placement, change: Callable[[ChunkStore], Awaitable[T]]) -> T:
        """Change the cell that decides, and beside it the one that follows."""
        move = placement.under_way
        store = self._store(placement.cell)
        if move is None or move.state not in _MIRRORED:
            return await change(store)
        changed, _ = await asyncio.gather(change(store), self._hand_on(move.target, change))
        return changed

    async def _hand_on(self, target: CellId, change: Callable[[ChunkStore], Awaitable[object]]) -> None:
        """Change the cell that follows, whatever ails it: the comparison brings what is missing."""
        with suppress(TesseraError):
            await change(self._store(target))

    def _asked(self, placement: Placement) -> list[ChunkStore]:
        """Return the stores that together have everything, the one that decides last."""
        move = placement.under_way
        if move is not None and move.state is MoveState.SWITCHED:
            return [self._store(move.source), self._store(move.target)]
        return [self._store(placement.cell)]

    def _store(self, place: CellId) -> ChunkStore:
        """Raises: IndexUnavailableError for a place that was taken out of the settings, which is nobody's mistake."""
        try:
            return self._stores.of(place)
        except CellNotFoundError as error:
            raise IndexUnavailableError("The place of this organisation's data is missing. Try again later.") from error

    async def _there(self, tenant: TenantId, access: Callable[[Placement], Awaitable[T]]) -> T:
        own = admitted(tenant)
        placement = self._known.get(own) or await self._look(own)
        for _ in range(TRIES):
            try:
                answer = await access(placement)
            except Exception:
                # A place that the tenant has left may be gone altogether, and then it fails in its own way.
                gate = await self._gates.gate(own, placement.cell)
                if gate.is_at(placement.epoch):
                    raise
            else:
                gate = await self._gates.gate(own, placement.cell)
                if gate.is_at(placement.epoch):
                    return answer
            placement = await self._look_again(own, gate)
        raise PlacementBusyError

    async def _refuse_stale(self, placement: Placement) -> None:
        """Look before a write, too: what is written where the tenant was must be erased there again."""
        gate = await self._gates.gate(placement.tenant, placement.cell)
        if not gate.is_at(placement.epoch):
            raise StaleEpochError(gate)

    async def _stay(self, tenant: TenantId) -> None:
        """Have a tenant that was never placed stay where it is, before it gets its first chunk there.

        Whoever places it at the same time either was faster, and is read of here, or finds the gate and does not.
        """
        own = admitted(tenant)
        placement = self._known.get(own) or await self._look(own)
        if placement.revision == 0 and own not in self._staying:
            await self._gates.set_gate(own, self._default, Gate(FIRST_EPOCH, GateRole.OPEN))
            await self._look(own)
            self._staying.add(own)

    async def _look(self, tenant: AdmittedTenant) -> Placement:
        known = await self._placements.placement(tenant)
        return self._remember(tenant, known or Placement(tenant, self._default, FIRST_EPOCH))

    async def _look_again(self, tenant: AdmittedTenant, gate: Gate) -> Placement:
        placement = await self._look(tenant)
        return self._remember(tenant, placement.as_told_by(gate, self._clock.now()))

    def _remember(self, tenant: AdmittedTenant, placement: Placement) -> Placement:
        self._known.pop(tenant, None)
        self._known[tenant] = placement
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return placement


async def _bring_forward(source: ChunkStore, target: ChunkStore, tenant: TenantId, first: ChunkKey) -> None:
    """Copy one document generation, whose ordinals begin after `first`, as far as the source has it."""
    after = first
    while page := [one for one in await source.scan(tenant, after, PAGE) if _is_of(one, first)]:
        await target.write(tenant, first.scope, [one.chunk for one in page])
        after = page[-1].key


def _is_of(stored: StoredChunk, first: ChunkKey) -> bool:
    key = stored.key
    return (key.scope, key.document_id, key.generation) == (first.scope, first.document_id, first.generation)


def _merged(answers: Iterable[list[Hit]], limit: int) -> list[Hit]:
    """Return the best of several answers; of a chunk that is in more than one, the last tells the score."""
    hits = {hit.chunk_id: hit for answer in answers for hit in answer}
    return sorted(hits.values(), key=lambda hit: (-hit.score, hit.chunk_id))[:limit]
