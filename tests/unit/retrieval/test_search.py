"""Search of one knowledge base: legs, liveness, pages."""

import asyncio
import contextlib

import pytest

from shared.kernel.ids import KnowledgeBaseId, TenantId
from shared.knowledge.errors import KnowledgeBaseNotFoundError
from shared.limits.spending import metered
from shared.retrieval.conditions import InvalidFilterError
from shared.retrieval.fields import Condition, FieldType
from shared.retrieval.ports import IndexedChunk, SearchScope
from shared.retrieval.query import SearchMode, SearchQuery
from shared.retrieval.search import MOST_REPEATS, SearchResult, SearchService
from shared.retrieval.spending import SpendingEmbedder
from tests.unit.retrieval.memory import ACME, KB, Bases, DownError, LiveList, MemoryIndex, WordEmbedder, chunk, document


class Library:
    """A service over small parts; chunks are live unless said otherwise."""

    def __init__(self, *chunks: IndexedChunk, bases: type[Bases] = Bases) -> None:
        self.index = MemoryIndex(list(chunks))
        self.embedder = WordEmbedder()
        self.live = LiveList()
        self.live.generations = {found.document_id: found.generation for found in chunks}
        spending = SpendingEmbedder(self.embedder, lambda texts: sum(len(text.split()) for text in texts))
        known = bases({"team": FieldType.TEXT})
        self.service = SearchService(known, self.index, spending, self.live)  # type: ignore[arg-type]

    async def ask(self, query: SearchQuery) -> SearchResult:
        return await self.service.search(ACME, KB, query)


def texts(result: SearchResult) -> list[str]:
    return [ranked.hit.text for ranked in result.hits]


@pytest.mark.parametrize("mode", SearchMode)
async def test_the_best_chunk_comes_first(mode: SearchMode) -> None:
    library = Library(chunk(1, "holiday rules"), chunk(2, "notice period of contracts"), chunk(3, "notice board"))

    result = await library.ask(SearchQuery("notice period", mode))

    assert texts(result)[0] == "notice period of contracts"
    assert result.degraded == ()
    best = result.hits[0]
    assert [best.hit.text[start:end] for start, end in best.highlights] == ["notice", "period"]
    assert (best.keyword_score is None) == (mode is SearchMode.VECTOR)
    assert (best.vector_score is None) == (mode is SearchMode.KEYWORD)


async def test_every_stage_is_timed() -> None:
    result = await Library(chunk(1, "notice")).ask(SearchQuery("notice"))

    assert result.timings_ms.keys() == {"scope", "embed", "keyword", "vector", "fuse", "verify", "highlight", "total"}


async def test_a_deleted_document_is_not_shown() -> None:
    library = Library(chunk(1, "notice period"), chunk(2, "notice board"))
    del library.live.generations[document(1)]

    assert texts(await library.ask(SearchQuery("notice period"))) == ["notice board"]


async def test_only_the_live_generation_is_shown() -> None:
    library = Library(chunk(1, "notice 30 days"), chunk(1, "notice 60 days", generation=2))
    library.live.generations[document(1)] = 2

    assert texts(await library.ask(SearchQuery("notice 30 days"))) == ["notice 60 days"]


async def test_a_generation_that_is_not_published_yet_is_not_shown() -> None:
    library = Library(chunk(1, "notice 30 days"), chunk(1, "notice 60 days", generation=2))
    library.live.generations[document(1)] = 1

    assert texts(await library.ask(SearchQuery("notice 60 days"))) == ["notice 30 days"]


async def test_dead_chunks_do_not_crowd_out_live_ones() -> None:
    dead = [chunk(number, "notice period") for number in range(250)]
    library = Library(*dead, chunk(999, "notice of change"))
    library.live.generations = {document(999): 1}

    result = await library.ask(SearchQuery("notice period", limit=1))

    assert texts(result) == ["notice of change"]
    assert result.degraded == ()


async def test_a_search_gives_up_on_too_many_dead_chunks_and_says_so() -> None:
    dead = [chunk(number, "notice period") for number in range(100 * (MOST_REPEATS + 1))]
    library = Library(*dead, chunk(999, "notice of change"))
    library.live.generations = {document(999): 1}

    result = await library.ask(SearchQuery("notice period"))

    assert texts(result) == []
    assert result.degraded == ("incomplete",)
    assert library.index.searches == MOST_REPEATS + 1


async def test_scores_are_those_of_a_base_without_the_dead_chunks() -> None:
    alive = [chunk(1, "notice period rules"), chunk(2, "notice board"), chunk(3, "holiday rules")]
    library = Library(chunk(0, "notice period"), *alive)
    del library.live.generations[document(0)]

    with_dead = await library.ask(SearchQuery("notice period"))
    without_dead = await Library(*alive).ask(SearchQuery("notice period"))

    assert [(ranked.hit, ranked.score) for ranked in with_dead.hits] == [
        (ranked.hit, ranked.score) for ranked in without_dead.hits
    ]


async def test_scores_are_those_of_vectors_alone_when_every_keyword_hit_is_dead() -> None:
    alive = [chunk(1, "holiday rules"), chunk(2, "soup")]
    library = Library(chunk(0, "notice period"), *alive)
    del library.live.generations[document(0)]

    with_dead = await library.ask(SearchQuery("notice period"))
    without_dead = await Library(*alive).ask(SearchQuery("notice period"))

    assert [ranked.score for ranked in with_dead.hits] == [ranked.score for ranked in without_dead.hits]


async def test_only_what_may_be_shown_is_verified() -> None:
    library = Library(*(chunk(number, f"notice {number}") for number in range(50)))

    await library.ask(SearchQuery("notice", limit=3))

    assert len(library.live.asked) == 4


@pytest.mark.parametrize("mode", [SearchMode.HYBRID, SearchMode.VECTOR])
@pytest.mark.parametrize("broken", ["embedder", "index"])
async def test_without_the_vector_leg_keywords_answer_and_it_shows(mode: SearchMode, broken: str) -> None:
    library = Library(chunk(1, "notice period"), chunk(2, "holiday rules"))
    library.embedder.is_down = broken == "embedder"
    library.index.vector_is_down = broken == "index"

    result = await library.ask(SearchQuery("notice", mode))

    assert texts(result) == ["notice period"]
    assert result.degraded == ("vector",)


async def test_without_the_keyword_leg_vectors_answer_and_it_shows() -> None:
    library = Library(chunk(1, "notice period"))
    library.index.keyword_is_down = True

    result = await library.ask(SearchQuery("notice"))

    assert texts(result) == ["notice period"]
    assert result.degraded == ("keyword",)


@pytest.mark.parametrize("mode", SearchMode)
async def test_when_no_leg_can_answer_the_failure_is_told(mode: SearchMode) -> None:
    library = Library(chunk(1, "notice period"))
    library.index.keyword_is_down = library.index.vector_is_down = True

    with pytest.raises(DownError, match="vector" if mode is SearchMode.VECTOR else "keyword"):
        await library.ask(SearchQuery("notice", mode))


async def test_pages_show_every_hit_once() -> None:
    library = Library(*(chunk(number, f"notice {'period ' * (number % 7)}{number}") for number in range(23)))
    query = SearchQuery("notice period", limit=5)
    whole = await library.ask(SearchQuery("notice period", limit=100))

    shown, result = [], await library.ask(query)
    shown += texts(result)
    while result.next_page_token:
        result = await library.ask(query.at_page(result.next_page_token, ACME, KB))
        shown += texts(result)

    assert shown == texts(whole)
    assert len(set(shown)) == 23


async def test_filters_reach_both_legs() -> None:
    library = Library(
        chunk(1, "notice period", metadata={"team": "legal"}), chunk(2, "notice period", metadata={"team": "sales"})
    )

    result = await library.ask(SearchQuery("notice", conditions=(Condition("team", equals="sales"),)))

    assert [ranked.hit.document_id for ranked in result.hits] == [document(2)]


async def test_a_filter_on_an_unknown_field_is_refused() -> None:
    with pytest.raises(InvalidFilterError):
        await Library().ask(SearchQuery("notice", conditions=(Condition("tenant", equals="globex"),)))


async def test_a_base_of_another_tenant_looks_missing() -> None:
    library = Library(chunk(1, "notice"))

    with pytest.raises(KnowledgeBaseNotFoundError):
        await library.service.search(TenantId("globex"), KB, SearchQuery("notice"))


class SlowBases(Bases):
    """Finds out where to search later than the query is read."""

    async def scope_of(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> SearchScope:
        await asyncio.sleep(0.05)
        return await super().scope_of(tenant, kb_id)


@pytest.mark.parametrize("bases", [Bases, SlowBases])
@pytest.mark.parametrize(("tenant", "tokens"), [("globex", 0), (ACME, 2)])
async def test_a_query_costs_what_is_read_of_it_where_there_is_something_to_search(
    bases: type[Bases], tenant: str, tokens: int
) -> None:
    """Whether its vector was already made when the base turned out to be missing is a matter of speed."""
    library = Library(chunk(1, "notice period"), bases=bases)

    with metered() as spending, contextlib.suppress(KnowledgeBaseNotFoundError):
        await library.service.search(TenantId(tenant), KB, SearchQuery("notice period"))

    assert spending.tokens == tokens


async def test_a_query_without_any_term_still_has_neighbours() -> None:
    result = await Library(chunk(1, "notice period")).ask(SearchQuery("???"))

    assert len(result.hits) == 1
    assert result.hits[0].keyword_score is None
