"""Small real parts for tests of answers: texts with chunks, searches that find all of them, texts in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from shared.answers.confidence import DEFAULT_MINIMUM_CONFIDENCE
from shared.documents.canonical import CanonicalText
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId
from shared.retrieval.ports import Hit
from shared.retrieval.query import SearchQuery
from shared.retrieval.search import RankedHit, SearchResult
from tests.unit.retrieval.memory import DownError, document, vector_of

ACME = TenantId("acme")
KB = KnowledgeBaseId("kb_" + "0" * 26)


def hit(number: int, text: str, start: int = 0, end: int | None = None, *, ordinal: int = 0, title: str = "") -> Hit:
    """Return the chunk `[start, end)` of the text of document `number`."""
    end = len(text) if end is None else end
    return Hit(document(number), 1, ordinal, start, end, None, title, title, text[start:end], 0.0)


@dataclass
class FindsAll:
    """Finds every chunk it was given, best first by cosine to the question."""

    hits: Sequence[Hit]
    degraded: tuple[str, ...] = ()
    asked: list[SearchQuery] = field(default_factory=list)

    async def search(self, tenant: TenantId, kb_id: KnowledgeBaseId, query: SearchQuery) -> SearchResult:
        self.asked.append(query)
        question = vector_of(query.text)
        scored = [(float(vector_of(found.text) @ question), found) for found in self.hits]
        ranked = [
            RankedHit(replace(found, score=score), score, score * 10, score, ())
            for score, found in sorted(scored, key=lambda pair: (-pair[0], pair[1].chunk_id))
        ]
        return SearchResult(tuple(ranked[: query.limit]), self.degraded, {})


@dataclass
class TextsInMemory:
    """Texts by document; `asked` counts."""

    texts: Mapping[DocumentId, CanonicalText]
    asked: int = 0

    async def get_text(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation
    ) -> CanonicalText | None:
        self.asked += 1
        return self.texts.get(document_id) if generation == 1 else None


@dataclass
class SentenceWords:
    """The embedder of words, asked by a tenant; `is_down` makes it fail."""

    is_down: bool = False

    async def embed(self, tenant: TenantId, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.is_down:
            raise DownError("The embedder is down.")
        return np.stack([vector_of(text) for text in texts])


@dataclass
class Settled:
    """The settings of a base that never change; `asked` counts."""

    minimum: float = DEFAULT_MINIMUM_CONFIDENCE
    asked: int = 0

    async def minimum_confidence(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> float:
        self.asked += 1
        return self.minimum


def plain(text: str) -> CanonicalText:
    """Return a text without structure of its own."""
    return CanonicalText(text, "txt")
