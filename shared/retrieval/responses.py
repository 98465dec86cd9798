"""What a search answers over HTTP (K7)."""

from typing import Self

from pydantic import BaseModel, Field

from shared.kernel.ids import DocumentId, Generation
from shared.retrieval.fields import MetadataValue
from shared.retrieval.search import RankedHit, SearchResult

_DIGITS = 6


class Highlight(BaseModel):
    """Where a word of the query stands in a hit's `text`."""

    start: int
    end: int


class LegScores(BaseModel):
    """What each leg of the search thought of a hit; absent where it did not find it or was not asked."""

    keyword: float | None = Field(default=None, description="BM25; comparable within one answer only.")
    vector: float | None = Field(default=None, description="Cosine similarity, -1 to 1.")


class SearchHit(BaseModel):
    """A chunk: `text` is what stands at `[start, end)`, in code points, of that generation of the document."""

    document_id: DocumentId
    generation: Generation = Field(description="The version of the document that the chunk is of.")
    title: str
    page: int | None = Field(default=None, description="Page, slide or sheet, where the format has them.")
    start: int
    end: int
    text: str
    context: str = Field(description="Title, headings and table header that were searched with the text.")
    metadata: dict[str, MetadataValue]
    score: float
    scores: LegScores
    highlights: list[Highlight]

    @classmethod
    def from_ranked(cls, ranked: RankedHit) -> Self:
        hit = ranked.hit
        return cls(
            document_id=hit.document_id,
            generation=hit.generation,
            title=hit.title,
            page=hit.page,
            start=hit.start,
            end=hit.end,
            text=hit.text,
            context=hit.context,
            metadata=dict(hit.metadata),
            score=round(ranked.score, _DIGITS),
            scores=LegScores(keyword=_rounded(ranked.keyword_score), vector=_rounded(ranked.vector_score)),
            highlights=[Highlight(start=start, end=end) for start, end in ranked.highlights],
        )


class SearchResponse(BaseModel):
    """Hits, best first, and how the search went."""

    hits: list[SearchHit]
    degraded: list[str] = Field(
        description="What was missing: a leg out of service (keyword, vector); `incomplete` when hits may be missing."
    )
    timings_ms: dict[str, float] = Field(description="Milliseconds per stage; stages may run side by side.")
    next_page_token: str | None = None

    @classmethod
    def from_result(cls, result: SearchResult) -> Self:
        return cls(
            hits=[SearchHit.from_ranked(ranked) for ranked in result.hits],
            degraded=list(result.degraded),
            timings_ms={stage: round(spent, 2) for stage, spent in result.timings_ms.items()},
            next_page_token=result.next_page_token,
        )


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, _DIGITS)
