"""Search one knowledge base: find by keyword and by vector, show only what is live, fuse (K7, K12)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId
from shared.kernel.pages import PageToken
from shared.retrieval.conditions import typed_conditions
from shared.retrieval.fusion import fuse, in_order
from shared.retrieval.highlights import Span, highlights_of
from shared.retrieval.keywords import query_terms
from shared.retrieval.legs import Candidates, Legs, QueryEmbedding
from shared.retrieval.liveness import Liveness
from shared.retrieval.ports import ChunkIndex, Embedder, Hit, LiveDocuments, SearchScopes
from shared.retrieval.query import DEEPEST_HIT, SearchMode, SearchQuery
from shared.retrieval.stages import Stages
from shared.telemetry.ports import Telemetry
from shared.telemetry.silent import SilentTelemetry

CANDIDATES: Final = 100
"""Chunks taken from each leg, unless a page lies deeper: enough that deeper ones do not change the first page."""

MOST_REPEATS: Final = 3
"""How often a search is repeated without the dead documents that it ran into."""

INCOMPLETE: Final = "incomplete"
"""In `degraded`: dead chunks kept crowding out live ones, so hits may be missing."""


@dataclass(frozen=True, slots=True)
class RankedHit:
    """A live chunk. `score` is the fused one (in [0, 1] for min-max), or the leg's own where only one leg answered.

    The scores of the legs (BM25; cosine) are None where a leg did not find the chunk or was not asked. `highlights`
    are spans of `hit.text`.
    """

    hit: Hit
    score: float
    keyword_score: float | None
    vector_score: float | None
    highlights: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first; `next_page_token` leads to more, which may turn out to be none.

    `degraded` names what was missing: `keyword` or `vector` for a leg out of service, `incomplete` (see there).
    """

    hits: tuple[RankedHit, ...]
    degraded: tuple[str, ...]
    timings_ms: Mapping[str, float]
    next_page_token: PageToken | None = None


class SearchService:
    """Searches knowledge bases."""

    def __init__(
        self,
        scopes: SearchScopes,
        index: ChunkIndex,
        embedder: Embedder,
        live: LiveDocuments,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._scopes = scopes
        self._index = index
        self._embedder = embedder
        self._live = live
        self._telemetry = telemetry or SilentTelemetry()

    async def search(self, tenant: TenantId, kb_id: KnowledgeBaseId, query: SearchQuery) -> SearchResult:
        """Rank the live chunks of a knowledge base for `query`.

        Pages up to hit `CANDIDATES` are cut from the same ranking; deeper ones from a longer list, in which a hit near
        that border may appear again.

        Raises: KnowledgeBaseNotFoundError; InvalidFilterError and InvalidFieldError for conditions that do not fit
        the base's fields; a leg's own error when no leg can answer.
        """
        stages = Stages()
        embedding = QueryEmbedding(self._embedder, query.text, stages)
        if query.mode is not SearchMode.KEYWORD:
            embedding.start()
        try:
            with stages.measured("total"):
                return await self._search(tenant, kb_id, query, embedding, stages)
        finally:
            embedding.end()
            self._telemetry.duration("search", stages.milliseconds["total"])

    async def _search(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, query: SearchQuery, embedding: QueryEmbedding, stages: Stages
    ) -> SearchResult:
        with stages.measured("scope"):
            found = await self._scopes.scope_of(tenant, kb_id)
        conditions = typed_conditions(query.conditions, found.fields)
        depth = CANDIDATES if query.offset + query.limit <= CANDIDATES else DEEPEST_HIT
        legs = Legs(self._index, embedding, tenant, found.scope, query.text, query.mode, conditions, depth, stages)
        liveness = Liveness(self._live, tenant, found.scope, stages)
        ranking = await _live_ranking(legs, liveness, query, found.vector_weight)
        if legs.degraded:
            self._telemetry.count("search_degraded")
        result = _result(ranking, query, legs.degraded, stages)
        return replace(result, next_page_token=_next_page(ranking, query, tenant, kb_id))


@dataclass(frozen=True, slots=True)
class _Ranking:
    hits: list[tuple[Hit, float]]
    keyword: dict[str, float]
    vector: dict[str, float]
    may_go_on: bool


async def _live_ranking(legs: Legs, liveness: Liveness, query: SearchQuery, base_weight: float) -> _Ranking:
    """Return a ranking without dead chunks, repeating the search when they left too few live ones."""
    wanted = query.offset + query.limit + 1  # one more tells whether there is a next page
    weight = base_weight if query.vector_weight is None else query.vector_weight
    dropped: dict[tuple[DocumentId, Generation], None] = {}
    repeats = 0
    while True:
        candidates = await legs.find(tuple(dropped))
        ranking = await _verified(candidates, legs, liveness, query, weight, wanted)
        dead = {(hit.document_id, hit.generation): None for hit in candidates.all if liveness.is_dead(hit)}
        if len(ranking.hits) >= wanted or not dead:
            return ranking
        if repeats == MOST_REPEATS:
            legs.degraded.add(INCOMPLETE)
            return ranking
        dropped |= dead
        repeats += 1


async def _verified(
    candidates: Candidates, legs: Legs, liveness: Liveness, query: SearchQuery, weight: float, wanted: int
) -> _Ranking:
    """Fuse, verify what would be shown, and fuse again without what is dead, until all that is shown is live.

    Dead chunks leave before scores are stretched, so they do not weigh on the live ones.
    """
    window = wanted
    while True:
        with legs.stages.measured("fuse"):
            ranking = _ranked(candidates, liveness, query, weight, legs.depth)
        if not await liveness.verify(hit for hit, _ in ranking.hits[:window]):
            return ranking
        if not any(liveness.is_dead(hit) for hit in candidates.all):
            return ranking
        window = len(candidates.all)


def _ranked(candidates: Candidates, liveness: Liveness, query: SearchQuery, weight: float, depth: int) -> _Ranking:
    keyword = {hit.chunk_id: hit.score for hit in candidates.keyword if not liveness.is_dead(hit)}
    vector = {hit.chunk_id: hit.score for hit in candidates.vector if not liveness.is_dead(hit)}
    if keyword and vector:
        fused = fuse(query.fusion, keyword, vector, vector_weight=weight)
    else:
        fused = in_order(keyword or vector)
    hits = {hit.chunk_id: hit for hit in candidates.all}
    may_go_on = max(len(candidates.keyword), len(candidates.vector)) >= depth
    return _Ranking([(hits[chunk], score) for chunk, score in fused.items()], keyword, vector, may_go_on)


def _result(ranking: _Ranking, query: SearchQuery, degraded: Collection[str], stages: Stages) -> SearchResult:
    asked = query_terms(query.text).keys()
    behind = query.offset + query.limit
    with stages.measured("highlight"):
        hits = tuple(
            RankedHit(
                hit,
                score,
                ranking.keyword.get(hit.chunk_id),
                ranking.vector.get(hit.chunk_id),
                highlights_of(hit.text, asked),
            )
            for hit, score in ranking.hits[query.offset : behind]
        )
    # The total joins these timings when the search returns.
    return SearchResult(hits, tuple(sorted(degraded)), stages.milliseconds)


def _next_page(ranking: _Ranking, query: SearchQuery, tenant: TenantId, kb_id: KnowledgeBaseId) -> PageToken | None:
    behind = query.offset + query.limit
    has_more = ranking.may_go_on or len(ranking.hits) > behind
    return query.page_token(behind, tenant, kb_id) if has_more and behind + query.limit <= DEEPEST_HIT else None
