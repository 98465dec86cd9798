"""Small real parts for tests of search: an index in memory, an embedder of words, a list of what is live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import DocumentId, Generation, IndexGeneration, KnowledgeBaseId, TenantId
from shared.knowledge.errors import KnowledgeBaseNotFoundError
from shared.retrieval.analysis import analyze
from shared.retrieval.fields import Condition, FieldType
from shared.retrieval.keywords import indexed_terms
from shared.retrieval.metadata_terms import AnyTerm, NoTerm, requirement_of, terms_of
from shared.retrieval.ports import Hit, IndexedChunk, Scope, SearchScope, Vector

ACME = TenantId("acme")
KB = KnowledgeBaseId("kb_" + "0" * 26)
SCOPE = Scope(KB, 1)
DIMENSIONS = 64


class DownError(TesseraError):
    """A part is out of service."""

    code: ClassVar[str] = "down"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


def document(number: int) -> DocumentId:
    return DocumentId(f"doc_{number:026}")


def vector_of(text: str) -> Vector:
    """Return a unit vector in which equal words make texts similar."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    for term in analyze(text):
        vector[sum(term.encode()) % DIMENSIONS] += 1
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def chunk(
    number: int,
    text: str,
    generation: int = 1,
    ordinal: int = 0,
    metadata: Mapping[str, str | float | bool] | None = None,
) -> IndexedChunk:
    return IndexedChunk(
        document(number), generation, ordinal, 0, len(text), None, "", "", text, vector_of(text), metadata or {}
    )  # fmt: skip


class WordEmbedder:
    """Counts how often it was asked; `is_down` makes it fail."""

    model_id = "words"
    dimensions = DIMENSIONS

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_down = False

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.is_down:
            raise DownError("The embedder is down.")
        self.asked += texts
        return np.stack([vector_of(text) for text in texts])


@dataclass
class MemoryIndex:
    """Chunks of one scope, found by the number of common words, or by cosine."""

    chunks: list[IndexedChunk] = field(default_factory=list)
    keyword_is_down: bool = False
    vector_is_down: bool = False
    searches: int = 0

    async def search_keyword(
        self,
        tenant: TenantId,
        scope: Scope,
        query: str,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        self.searches += 1
        if self.keyword_is_down:
            raise DownError("The keyword leg is down.")
        asked = set(analyze(query))
        scored = [(float(len(asked & set(indexed_terms(c.context, c.text)))), c) for c in self.chunks]
        return _best([(score, c) for score, c in scored if score], limit, conditions, without)

    async def search_vector(
        self,
        tenant: TenantId,
        scope: Scope,
        vector: Vector,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        if self.vector_is_down:
            raise DownError("The vector leg is down.")
        return _best([(float(c.vector @ vector), c) for c in self.chunks], limit, conditions, without)

    async def write(self, tenant: TenantId, scope: Scope, chunks: Sequence[IndexedChunk]) -> None:
        self.chunks += chunks


def _best(
    scored: Sequence[tuple[float, IndexedChunk]],
    limit: int,
    conditions: Sequence[Condition],
    without: Sequence[tuple[DocumentId, Generation]],
) -> list[Hit]:
    hits = [
        Hit(
            c.document_id,
            c.generation,
            c.ordinal,
            c.start,
            c.end,
            c.page,
            c.title,
            c.context,
            c.text,
            score,
            c.metadata,
        )
        for score, c in scored
        if (c.document_id, c.generation) not in without and all(_matches(c, condition) for condition in conditions)
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))[:limit]


def _matches(found: IndexedChunk, condition: Condition) -> bool:
    terms = terms_of(found.metadata)
    match requirement_of(condition):
        case AnyTerm(wanted):
            return bool(set(wanted) & set(terms))
        case NoTerm(unwanted):
            return unwanted not in terms
        case asked:
            return any(asked.first <= term <= asked.last for term in terms)


class LiveList:
    """What is live, and which documents were asked about."""

    def __init__(self) -> None:
        self.generations: dict[DocumentId, Generation] = {}
        self.asked: list[DocumentId] = []

    async def live_generations(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        index_generation: IndexGeneration,
        document_ids: Sequence[DocumentId],
    ) -> Mapping[DocumentId, Generation]:
        self.asked += document_ids
        return {found: self.generations[found] for found in document_ids if found in self.generations}


class Bases:
    """One knowledge base of one tenant."""

    def __init__(self, fields: Mapping[str, FieldType], vector_weight: float = 0.5) -> None:
        self._found = SearchScope(SCOPE, vector_weight, fields)

    async def scope_of(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> SearchScope:
        if (tenant, kb_id) != (ACME, KB):
            raise KnowledgeBaseNotFoundError("There is no such knowledge base. List yours to see their ids.")
        return self._found
