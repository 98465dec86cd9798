"""People who search, and documents that come in; whatever fails or is answered wrongly is written down."""

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.adapters.cells.routed_index import RoutedChunkIndex
from shared.kernel.ids import DocumentId, TenantId
from shared.retrieval.chunk_stores import ChunkKey
from shared.retrieval.ports import IndexedChunk, Scope
from tests.contract.chunks import chunk, document, scope, unit_vector

PARTS = 3
DOCUMENTS = 8
BASE, PASSING = scope(1), scope(2)


def word_of(number: int, generation: int) -> str:
    return f"w{number}g{generation}"


def chunks_of(number: int, generation: int) -> list[IndexedChunk]:
    word = word_of(number, generation)
    return [
        chunk(
            number,
            f"{word} part {part} of what everybody has in common",
            ordinal=part,
            generation=generation,
            metadata={"number": number},
        )
        for part in range(PARTS)
    ]


@dataclass
class Load:
    """One tenant's life on the routed indexes of several processes' worth of memory."""

    tenant: TenantId
    indexes: list[RoutedChunkIndex]
    random: random.Random
    live: dict[int, int] = field(default_factory=dict)
    """The live generation of each document, as the records of a deployment would say it."""
    requests: int = 0
    searches: int = 0
    failures: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _generations: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _busy: set[int] = field(default_factory=set)

    async def fill(self) -> None:
        for number in range(DOCUMENTS):
            await self._publish(number)

    async def run(self, until: Callable[[], bool], people: int) -> None:
        """Have as many search and as many write until `until` says so; then everything that was begun ends."""
        await asyncio.gather(
            *(self._repeat(what, until) for what in (self._search, self._ingest) for _ in range(people))
        )

    def keys(self) -> set[ChunkKey]:
        """Return what must be in the index when nothing is under way."""
        return {
            ChunkKey(BASE, document(number), generation, part)
            for number, generation in self.live.items()
            for part in range(PARTS)
        }

    async def _repeat(self, what: Callable[[], object], until: Callable[[], bool]) -> None:
        while not until():
            try:
                await what()  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001 (whatever it is, a request failed)
                self.failures.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(0.005)

    async def _search(self) -> None:
        number, generation = self.random.choice(list(self.live.items()))
        index, word = self.random.choice(self.indexes), word_of(number, generation)
        by_vector = self.random.random() < 0.5
        if by_vector:
            target = self.random.randrange(PARTS)
            vector = unit_vector(chunks_of(number, generation)[target].text)
            hits = await index.search_vector(self.tenant, BASE, vector, PARTS)
            wanted = {target}
        else:
            hits = await index.search_keyword(self.tenant, BASE, word, PARTS)
            wanted = set(range(PARTS))
        self.requests += 1
        if self.live.get(number) != generation:
            return  # replaced meanwhile: either answer is right
        self.searches += 1
        found = {
            hit.ordinal: hit.text for hit in hits if (hit.document_id, hit.generation) == (document(number), generation)
        }
        expected = {one.ordinal: one.text for one in chunks_of(number, generation)}
        if not wanted <= found.keys() or any(found[part] != expected[part] for part in found):
            self.wrong.append(f"{word} {'vector' if by_vector else 'keyword'}: {sorted(found)}")

    async def _ingest(self) -> None:
        free = [number for number in range(DOCUMENTS) if number not in self._busy]
        number = self.random.choice(free)
        self._busy.add(number)
        try:
            await self._publish(number)
            if self.random.random() < 0.2:
                await self._pass(number)
        finally:
            self._busy.discard(number)

    async def _publish(self, number: int) -> None:
        """Do what ingestion does: write in batches, read back, go live, and later sweep what was replaced."""
        generation, index = next(self._generations), self.random.choice(self.indexes)
        chunks = chunks_of(number, generation)
        await index.write(self.tenant, BASE, chunks[:1])
        await index.write(self.tenant, BASE, chunks[1:])
        await index.refresh(self.tenant, BASE)
        back = await index.read_back(self.tenant, BASE, document(number), generation, PARTS - 1)
        self.requests += 4
        if (back.count, back.has_first, back.has_last) != (PARTS, True, True):
            self.wrong.append(f"read back of {word_of(number, generation)}: {back}")
        replaced = self.live.get(number)
        self.live[number] = generation
        if replaced is not None:
            sweeper = self.random.choice(self.indexes)
            await sweeper.delete_document_generation(self.tenant, BASE, document(number), replaced)
            self.requests += 1

    async def _pass(self, number: int) -> None:
        """Fill a knowledge base and delete it again."""
        index = self.random.choice(self.indexes)
        where = Scope(PASSING.kb_id, next(self._generations))
        await index.write(self.tenant, where, chunks_of(number, 1))
        await index.delete_scope(self.tenant, where)
        self.requests += 2


def contents(found: list[ChunkKey]) -> set[tuple[DocumentId, int, int]]:
    return {(key.document_id, key.generation, key.ordinal) for key in found}
