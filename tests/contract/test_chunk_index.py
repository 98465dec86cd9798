"""What every chunk index promises (K6, K7), asked of SQLite and of a real OpenSearch node."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
from shared.adapters.opensearch.client import connect
from shared.adapters.opensearch.layout import IndexLayout
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.kernel.ids import TenantId
from shared.retrieval.fields import Condition, MetadataValue
from shared.retrieval.ports import ChunkIndex, Hit, IndexedChunk, ReadBack, Scope
from tests.contract.chunks import ACME, DIMENSIONS, GLOBEX, batches, chunk, document, scope, unit_vector

pytestmark = pytest.mark.timeout(600)  # the first test waits for the node
HOME = scope()


@pytest.fixture(params=["sqlite", pytest.param("opensearch", marks=pytest.mark.real_server)])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ChunkIndex]:
    if request.param == "sqlite":
        embedded = SqliteChunkIndex(tmp_path / "chunks.sqlite")
        yield embedded
        embedded.close()
        return
    client = connect(request.getfixturevalue("opensearch_address"))
    layout = IndexLayout(f"contract-{secrets.token_hex(6)}", DIMENSIONS, shards=2, replicas=0)
    yield OpenSearchChunkIndex(client, layout)
    client.indices.delete(index=layout.physical_name, params={"ignore_unavailable": "true"})
    client.close()


async def fill(index: ChunkIndex, *chunks: IndexedChunk, tenant: TenantId = ACME, where: Scope = HOME) -> None:
    for batch in batches(list(chunks)):
        await index.write(tenant, where, batch)
    await index.refresh(tenant, where)


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.chunk_id for hit in hits]


def chunk_id(number: int, ordinal: int = 0, generation: int = 1) -> str:
    return f"{document(number)}.{generation}.{ordinal}"


class TestFinding:
    async def test_a_hit_carries_everything_that_was_written(self, index: ChunkIndex) -> None:
        metadata: dict[str, MetadataValue] = {"year": 2024.0, "draft": False, "team": "legal\u0000\"'"}
        written = chunk(
            7, 'The "notice" period', ordinal=3, generation=2, context="Terms › Ending", metadata=metadata, page=4
        )
        await fill(index, written)

        for hit in (
            *await index.search_keyword(ACME, HOME, "notice", 5),
            *await index.search_vector(ACME, HOME, written.vector, 5),
        ):
            assert (hit.document_id, hit.generation, hit.ordinal) == (document(7), 2, 3)
            assert (hit.start, hit.end, hit.page) == (300, 319, 4)
            assert (hit.title, hit.context, hit.text) == ("Document 7", "Terms › Ending", 'The "notice" period')
            assert dict(hit.metadata) == metadata
            assert hit.score > 0

    async def test_words_of_the_context_are_found(self, index: ChunkIndex) -> None:
        await fill(index, chunk(1, "thirty days", context="Notice period"), chunk(2, "sixty days"))

        assert ids(await index.search_keyword(ACME, HOME, "notice", 5)) == [chunk_id(1)]

    async def test_rarer_words_weigh_more_even_in_a_base_of_three(self, index: ChunkIndex) -> None:
        await fill(index, chunk(1, "notice period"), chunk(2, "notice board"), chunk(3, "notice notice notice"))

        found = await index.search_keyword(ACME, HOME, "notice period", 5)

        assert found[0].document_id == document(1)
        assert len(found) == 3
        assert all(hit.score > 0 for hit in found)

    async def test_bm25_is_lucenes_to_within_one_percent(self, index: ChunkIndex) -> None:
        texts = ["alpha beta", "alpha alpha gamma delta", "beta gamma delta epsilon zeta eta", "theta"]
        await fill(index, *(chunk(number, text) for number, text in enumerate(texts)))

        scores = {hit.document_id: hit.score for hit in await index.search_keyword(ACME, HOME, "alpha epsilon", 5)}

        def part(frequency: int, length: int, containing: int) -> float:
            idf = np.log(1 + (4 - containing + 0.5) / (containing + 0.5))
            return float(idf * frequency / (frequency + 1.2 * (0.25 + 0.75 * length / 3.25)))

        expected = {document(0): part(1, 2, 2), document(1): part(2, 4, 2), document(2): part(1, 6, 1)}
        assert scores == pytest.approx(expected, rel=0.01)

    @pytest.mark.parametrize("query", ["", "   ", "the of and", "unheardof", '"', "* AND (", "?!", "\u0000"])
    async def test_a_query_without_a_known_term_finds_nothing(self, index: ChunkIndex, query: str) -> None:
        await fill(index, chunk(1, "notice period"))

        assert await index.search_keyword(ACME, HOME, query, 5) == []

    @pytest.mark.parametrize(
        "query",
        [
            '"notice"',
            "notice*",
            "terms:notice",
            "NOT notice",
            "notice^2",
            "notice OR (",
            "(notice",
            "notice\\",
            "+notice",
        ],
    )
    async def test_signs_of_query_languages_mean_nothing(self, index: ChunkIndex, query: str) -> None:
        await fill(index, chunk(1, "notice period"), chunk(2, "something else"))

        assert ids(await index.search_keyword(ACME, HOME, query, 5)) == [chunk_id(1)]

    @pytest.mark.parametrize(
        ("text", "query"),
        [
            ("東京都の条例", "京都"),
            ("Der Café-Besitzer", "CAFE"),
            ("Ελλάδα και θάλασσα", "ΘΑΛΑΣΣΑ"),
            ("Kündigungsfrist: 30 Tage", "kundigungsfrist"),
            ("it's 1,000.50 units in AC-2", "1000.50"),
            ("नोटिस अवधि", "अवधि"),
            ("emoji 😀 and \U00020000 rare", "\U00020000"),
            ("ligature \ufc5e here", "\ufc5e"),
            ("x" * 500, "x" * 500),
        ],
    )
    async def test_every_script_is_found(self, index: ChunkIndex, text: str, query: str) -> None:
        await fill(index, chunk(1, text), chunk(2, "something else"))

        assert ids(await index.search_keyword(ACME, HOME, query, 5)) == [chunk_id(1)]

    async def test_a_query_of_a_thousand_words_is_answered(self, index: ChunkIndex) -> None:
        await fill(index, chunk(1, "w3 w4"), chunk(2, "w5"))

        found = await index.search_keyword(ACME, HOME, " ".join(f"w{number}" for number in range(1000)), 5)

        assert ids(found) == [chunk_id(1), chunk_id(2)]

    async def test_vectors_are_ordered_by_cosine(self, index: ChunkIndex) -> None:
        chunks = [chunk(number, f"text {number}") for number in range(40)]
        await fill(index, *chunks)
        query = unit_vector("query")

        found = await index.search_vector(ACME, HOME, query, 10)

        cosines = {f"{one.document_id}.1.0": float(one.vector @ query) for one in chunks}
        assert ids(found) == sorted(cosines, key=lambda one: -cosines[one])[:10]
        assert [hit.score for hit in found] == pytest.approx([cosines[one] for one in ids(found)], abs=1e-5)
        opposite = await index.search_vector(ACME, HOME, -chunks[0].vector, 40)
        assert opposite[-1].score == pytest.approx(-1, abs=1e-5)

    async def test_ties_are_broken_by_chunk_id(self, index: ChunkIndex) -> None:
        same = unit_vector("same")
        twins = [chunk(3 - number % 2, "same words", ordinal=number, vector=same) for number in range(12)]
        await fill(index, *twins)
        expected = sorted(f"{one.document_id}.1.{one.ordinal}" for one in twins)

        assert ids(await index.search_keyword(ACME, HOME, "same", 5)) == expected[:5]
        assert ids(await index.search_vector(ACME, HOME, same, 5)) == expected[:5]

    async def test_a_base_that_was_never_written_is_empty(self, index: ChunkIndex) -> None:
        assert await index.search_keyword(ACME, HOME, "notice", 5) == []
        assert await index.search_vector(ACME, HOME, unit_vector("notice"), 5) == []
        assert await index.read_back(ACME, HOME, document(1), 1, 0) == ReadBack(0, has_first=False, has_last=False)
        assert await index.delete_document_generation(ACME, HOME, document(1), 1) == 0
        await index.refresh(ACME, HOME)
        await index.delete_scope(ACME, HOME)


class TestKeepingApart:
    async def test_neighbours_are_never_found(self, index: ChunkIndex) -> None:
        neighbours = [(GLOBEX, HOME), (ACME, scope(2)), (ACME, scope(1, index_generation=2)), (TenantId("acm"), HOME)]
        for number, (tenant, where) in enumerate(neighbours):
            await fill(index, chunk(number, "notice period"), tenant=tenant, where=where)
        await fill(index, chunk(9, "notice of termination"))

        assert ids(await index.search_keyword(ACME, HOME, "notice period", 10)) == [chunk_id(9)]
        assert ids(await index.search_vector(ACME, HOME, unit_vector("notice period"), 10)) == [chunk_id(9)]
        for number, (tenant, where) in enumerate(neighbours):
            assert ids(await index.search_keyword(tenant, where, "notice", 10)) == [chunk_id(number)]

    async def test_neighbours_never_move_a_score(self, index: ChunkIndex) -> None:
        await fill(index, *(chunk(number, f"notice period number{number} rare{number % 3}") for number in range(20)))
        query, vector = "notice rare1 number7", unit_vector("query")
        keyword = await index.search_keyword(ACME, HOME, query, 20)
        nearest = await index.search_vector(ACME, HOME, vector, 20)

        for tenant, where in ((GLOBEX, HOME), (ACME, scope(2)), (ACME, scope(1, index_generation=2))):
            flood = (chunk(number, "rare1 number7 " * (1 + number % 40)) for number in range(300))
            await fill(index, *flood, tenant=tenant, where=where)
        await index.refresh(ACME, HOME)

        assert await index.search_keyword(ACME, HOME, query, 20) == keyword
        assert await index.search_vector(ACME, HOME, vector, 20) == nearest

    async def test_deleting_leaves_the_neighbours(self, index: ChunkIndex) -> None:
        for tenant, where in ((ACME, HOME), (GLOBEX, HOME), (ACME, scope(2))):
            await fill(index, chunk(1, "notice"), chunk(1, "notice", generation=2), tenant=tenant, where=where)

        assert await index.delete_document_generation(ACME, HOME, document(1), 1) == 1
        await index.delete_scope(ACME, scope(2))

        assert ids(await index.search_keyword(ACME, HOME, "notice", 5)) == [chunk_id(1, generation=2)]
        assert await index.search_keyword(ACME, scope(2), "notice", 5) == []
        assert len(await index.search_keyword(GLOBEX, HOME, "notice", 5)) == 2

    @pytest.mark.parametrize("tenant", ['a"; DROP TABLE chunks; --', "a\u0000b", "ä/..%2f", "*", "a" * 200])
    async def test_names_of_tenants_are_never_code(self, index: ChunkIndex, tenant: str) -> None:
        await fill(index, chunk(1, "notice"), tenant=TenantId(tenant))

        assert ids(await index.search_keyword(TenantId(tenant), HOME, "notice", 5)) == [chunk_id(1)]
        assert await index.search_keyword(ACME, HOME, "notice", 5) == []


HOSTILE = ["", " ", "tenant", "scope", "a.b", "$where", "\u0000", "名前", '"\\', "x" * 3000, "' OR 1=1 --", "*"]


class TestFiltering:
    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (Condition("year", equals=2024), {2, 5}),
            (Condition("year", equals=2024.0), {2, 5}),
            (Condition("year", equals="2024"), {6}),
            (Condition("year", equals=True), set()),
            (Condition("team", equals="legal"), {1, 2}),
            (Condition("team", equals="Legal"), {3}),
            (Condition("team", any_of=("legal", "sales", "none")), {1, 2, 4}),
            (Condition("team", any_of=()), set()),
            (Condition("draft", equals=False), {1}),
            (Condition("draft", any_of=(True, False)), {1, 2}),
            (Condition("year", at_least=2023), {1, 2, 5}),
            (Condition("year", at_most=2023.5), {1, 3, 4}),
            (Condition("year", at_least=-10, at_most=0), {3, 4}),
            (Condition("year", at_least="2"), {6}),
            (Condition("year", exists=True), {1, 2, 3, 4, 5, 6}),
            (Condition("year", exists=False), {7}),
            (Condition("nothing", exists=False), {1, 2, 3, 4, 5, 6, 7}),
            (Condition("nothing", exists=True), set()),
            (Condition("day", at_least="2024-02-01", at_most="2024-03-01"), {2}),
            (Condition("day", at_least="2024-03-01T00:00:00Z"), {3}),
        ],
    )
    async def test_conditions_hold_in_both_legs(
        self, index: ChunkIndex, condition: Condition, expected: set[int]
    ) -> None:
        described: list[dict[str, MetadataValue]] = [
            {"year": 2023, "team": "legal", "draft": False, "day": "2024-01-31"},
            {"year": 2024.0, "team": "legal", "draft": True, "day": "2024-03-01"},
            {"year": -3.5, "team": "Legal", "day": "2024-03-02"},
            {"year": 0.0, "team": "sales"},
            {"year": 2024},
            {"year": "2024"},
            {"team": "ops"},
        ]
        await fill(index, *(chunk(number, "notice", metadata=data) for number, data in enumerate(described, 1)))

        keyword = await index.search_keyword(ACME, HOME, "notice", 20, [condition])
        nearest = await index.search_vector(ACME, HOME, unit_vector("query"), 20, [condition])

        assert {hit.document_id for hit in keyword} == {document(number) for number in expected}
        assert {hit.document_id for hit in nearest} == {document(number) for number in expected}

    async def test_all_conditions_must_hold(self, index: ChunkIndex) -> None:
        await fill(
            index, *(chunk(number, "notice", metadata={"a": number % 2, "b": number % 3}) for number in range(12))
        )
        conditions = [Condition("a", equals=1), Condition("b", at_most=1), Condition("c", exists=False)]

        found = await index.search_keyword(ACME, HOME, "notice", 20, conditions, [(document(7), 1), (document(9), 2)])

        assert {hit.document_id for hit in found} == {document(1), document(3), document(9)}

    @pytest.mark.parametrize("name", HOSTILE)
    async def test_any_name_is_a_name_and_any_value_a_value(self, index: ChunkIndex, name: str) -> None:
        await fill(index, chunk(1, "notice", metadata={name: name}), chunk(2, "notice", metadata={"other": name}))

        equal = await index.search_keyword(ACME, HOME, "notice", 5, [Condition(name, equals=name)])
        other = await index.search_vector(ACME, HOME, unit_vector("q"), 5, [Condition(name, equals=name + "x")])
        missing = await index.search_vector(ACME, HOME, unit_vector("q"), 5, [Condition(name, exists=False)])

        assert [(hit.chunk_id, dict(hit.metadata)) for hit in equal] == [(chunk_id(1), {name: name})]
        assert other == []
        assert ids(missing) == [chunk_id(2)]

    async def test_the_limit_is_filled_however_few_match(self, index: ChunkIndex) -> None:
        query = unit_vector("query")
        far = [chunk(number, "notice period", vector=-query, metadata={"rare": 1}) for number in range(10)]
        near = [chunk(100 + number, "notice", vector=query, metadata={"rare": 0}) for number in range(600)]
        await fill(index, *far, *near)
        conditions = [Condition("rare", equals=1)]

        assert len(await index.search_keyword(ACME, HOME, "notice", 10, conditions)) == 10
        assert len(await index.search_vector(ACME, HOME, query, 10, conditions)) == 10
        without = [(document(100 + number), 1) for number in range(600)]
        assert len(await index.search_keyword(ACME, HOME, "notice", 10, (), without)) == 10
        assert len(await index.search_vector(ACME, HOME, query, 10, (), without)) == 10
        assert len(await index.search_vector(ACME, HOME, query, 600)) == 600

    async def test_without_names_one_generation(self, index: ChunkIndex) -> None:
        await fill(index, chunk(1, "notice"), chunk(1, "notice", generation=2), chunk(2, "notice"))

        found = await index.search_keyword(ACME, HOME, "notice", 5, (), [(document(1), 1)])

        assert ids(found) == [chunk_id(1, generation=2), chunk_id(2)]


class TestWriting:
    async def test_identical_writes_leave_one_chunk(self, index: ChunkIndex) -> None:
        twice = [chunk(1, "notice period", ordinal=number) for number in range(3)]
        await fill(index, *twice)
        first = await index.search_keyword(ACME, HOME, "notice", 10)

        await fill(index, *twice, *twice)

        assert await index.search_keyword(ACME, HOME, "notice", 10) == first
        assert len(await index.search_vector(ACME, HOME, unit_vector("q"), 10)) == 3
        assert (await index.read_back(ACME, HOME, document(1), 1, 2)).count == 3

    async def test_a_later_write_replaces_every_part_of_a_chunk(self, index: ChunkIndex) -> None:
        await fill(index, chunk(1, "notice period", metadata={"old": 1}))

        await fill(index, chunk(1, "something else", metadata={"new": 1}))

        assert await index.search_keyword(ACME, HOME, "notice", 10) == []
        assert ids(await index.search_keyword(ACME, HOME, "something", 10)) == [chunk_id(1)]
        assert await index.search_keyword(ACME, HOME, "something", 10, [Condition("old", exists=True)]) == []
        nearest = await index.search_vector(ACME, HOME, unit_vector("something else"), 1)
        assert nearest[0].score == pytest.approx(1, abs=1e-5)

    async def test_read_back_counts_what_is_there(self, index: ChunkIndex) -> None:
        await fill(index, *(chunk(1, f"part {number}", ordinal=number) for number in range(1, 5)))
        await fill(index, chunk(1, "part", generation=2), chunk(2, "part"))

        assert await index.read_back(ACME, HOME, document(1), 1, 4) == ReadBack(4, has_first=False, has_last=True)
        assert await index.read_back(ACME, HOME, document(1), 1, 5) == ReadBack(4, has_first=False, has_last=False)
        assert await index.read_back(ACME, HOME, document(1), 2, 0) == ReadBack(1, has_first=True, has_last=True)
        assert await index.read_back(GLOBEX, HOME, document(1), 1, 4) == ReadBack(0, has_first=False, has_last=False)

    async def test_a_deletion_takes_what_was_written_just_before(self, index: ChunkIndex) -> None:
        await index.write(ACME, HOME, [chunk(1, "notice", ordinal=number) for number in range(600)])

        assert await index.delete_document_generation(ACME, HOME, document(1), 1) == 600
        assert await index.search_keyword(ACME, HOME, "notice", 5) == []
        assert await index.delete_document_generation(ACME, HOME, document(1), 1) == 0

    async def test_a_deleted_base_may_be_written_again(self, index: ChunkIndex) -> None:
        await fill(index, chunk(1, "notice period", metadata={"a": 1}), chunk(2, "notice"))
        await index.delete_scope(ACME, HOME)
        assert await index.search_vector(ACME, HOME, unit_vector("notice"), 5) == []

        await fill(index, chunk(3, "notice"))

        assert ids(await index.search_keyword(ACME, HOME, "notice", 5)) == [chunk_id(3)]
        assert ids(await index.search_vector(ACME, HOME, unit_vector("notice"), 5)) == [chunk_id(3)]

    async def test_a_thousand_chunks_are_taken_and_one_more_refused(self, index: ChunkIndex) -> None:
        many = [chunk(1, f"notice {number}", ordinal=number) for number in range(1001)]

        with pytest.raises(ValueError, match="1001 chunks"):
            await index.write(ACME, HOME, many)
        await fill(index)
        assert (await index.read_back(ACME, HOME, document(1), 1, 1000)).count == 0
        await index.write(ACME, HOME, many[:1000])
        await index.refresh(ACME, HOME)

        assert (await index.read_back(ACME, HOME, document(1), 1, 999)).count == 1000

    async def test_vectors_of_another_length_are_refused(self, index: ChunkIndex) -> None:
        await fill(index, chunk(1, "notice"))

        with pytest.raises(ValueError, match="A vector of 3 numbers"):
            await index.write(ACME, HOME, [chunk(2, "notice", vector=unit_vector("short", 3))])
        with pytest.raises(ValueError, match="A vector of 3 numbers"):
            await index.search_vector(ACME, HOME, unit_vector("short", 3), 5)

    async def test_writers_and_readers_work_side_by_side(self, index: ChunkIndex) -> None:
        async def write(number: int) -> None:
            tenant = ACME if number % 2 else GLOBEX
            await index.write(tenant, HOME, [chunk(number, f"notice {part}", ordinal=part) for part in range(40)])
            await index.search_keyword(tenant, HOME, "notice", 5)

        await asyncio.gather(*(write(number) for number in range(16)))
        for tenant in (ACME, GLOBEX):
            await index.refresh(tenant, HOME)
            assert len(await index.search_keyword(tenant, HOME, "notice", 400)) == 320
