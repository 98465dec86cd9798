"""What every chunk store promises whose chunks can be counted, copied and taken away (T6): SQLite and OpenSearch."""

import secrets
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from shared.adapters.cells.own_indexes import OwnIndexes
from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
from shared.adapters.opensearch.client import connect
from shared.adapters.opensearch.layout import IndexLayout
from shared.adapters.opensearch.load import OpenSearchLoad
from shared.adapters.opensearch.scanning import ChunkNotCopyableError
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.adapters.sqlite.load import SqliteLoad
from shared.kernel.ids import TenantId
from shared.retrieval.chunk_stores import ChunkKey, ChunkStore, StoredChunk
from shared.retrieval.ports import IndexUnavailableError
from tests.contract.chunks import ACME, DIMENSIONS, GLOBEX, chunk, document, scope

pytestmark = pytest.mark.timeout(600)  # the first test waits for the node
HOME, OTHER = scope(1), scope(2, index_generation=3)


@pytest.fixture(params=["sqlite", pytest.param("opensearch", marks=pytest.mark.real_server)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ChunkStore]:
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


async def fill(store: ChunkStore) -> set[ChunkKey]:
    """Write seven chunks of two scopes; return their keys."""
    first = [chunk(number, f"text {number} {ordinal}", ordinal=ordinal) for number in (1, 2) for ordinal in (0, 1, 12)]
    second = [chunk(9, "one more", generation=2, page=4, context="Head", metadata={"year": 2024.0, "team": "a\u0000b"})]
    await store.write(ACME, HOME, first)
    await store.write(ACME, OTHER, second)
    return {StoredChunk(where, one).key for where, ones in ((HOME, first), (OTHER, second)) for one in ones}


async def scanned(store: ChunkStore, page: int) -> list[StoredChunk]:
    found: list[StoredChunk] = []
    while some := await store.scan(ACME, found[-1].key if found else None, page):
        found.extend(some)
    return found


async def test_an_empty_store_has_nothing(store: ChunkStore) -> None:
    assert await store.count(ACME) == 0
    assert await store.scan(ACME, None, 10) == []
    assert await store.fetch(ACME, [ChunkKey(HOME, document(1), 1, 0)]) == []
    await store.remove(ACME, [ChunkKey(HOME, document(1), 1, 0)])
    await store.vacate(ACME)


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_pages_hold_every_chunk_once_and_documents_together(store: ChunkStore, page: int) -> None:
    keys = await fill(store)
    await store.write(GLOBEX, HOME, [chunk(1, "of another tenant")])

    found = [one.key for one in await scanned(store, page)]

    assert len(found) == len(keys) == await store.count(ACME)
    assert set(found) == keys
    generations = [(key.scope, key.document_id, key.generation) for key in found]
    assert len(set(generations)) == 1 + sum(one != next_ for one, next_ in pairwise(generations))


async def test_a_chunk_comes_back_as_it_was_written(store: ChunkStore) -> None:
    written = chunk(
        9, 'The "notice"', ordinal=3, generation=2, page=4, context="A › B", metadata={"x": 1.5, "y": "ü\u0000"}
    )
    await store.write(ACME, OTHER, [written])

    (found,) = await store.scan(ACME, None, 5)
    (fetched,) = await store.fetch(ACME, [found.key, found.key])

    for one in (found, fetched):
        assert one.scope == OTHER
        assert np.array_equal(one.chunk.vector, written.vector)
        for name in (
            "document_id",
            "generation",
            "ordinal",
            "start",
            "end",
            "page",
            "title",
            "context",
            "text",
            "metadata",
        ):
            assert getattr(one.chunk, name) == getattr(written, name)


async def test_a_page_begins_after_a_chunk_that_is_gone(store: ChunkStore) -> None:
    await fill(store)
    before = [one.key for one in await scanned(store, 100)]

    await store.remove(ACME, before[:3])

    assert [one.key for one in await store.scan(ACME, before[2], 100)] == before[3:]
    assert [one.key for one in await store.scan(ACME, None, 100)] == before[3:]


async def test_what_is_removed_is_found_by_nobody_and_nothing_else_goes(store: ChunkStore) -> None:
    keys = sorted(await fill(store), key=repr)
    await store.write(GLOBEX, HOME, [chunk(1, "text 1 0")])

    await store.remove(ACME, [*keys[:2], keys[0], ChunkKey(scope(77), document(1), 1, 0)])

    assert {one.key for one in await store.fetch(ACME, keys)} == set(keys[2:])
    assert await store.count(ACME) == len(keys) - 2
    assert await store.count(GLOBEX) == 1
    gone = keys[0]
    hits = await store.search_keyword(ACME, gone.scope, "text", 50)
    assert (gone.document_id, gone.ordinal) not in {(hit.document_id, hit.ordinal) for hit in hits}


async def test_a_tenant_that_was_removed_and_vacated_can_come_back(store: ChunkStore) -> None:
    keys = await fill(store)
    await store.remove(ACME, list(keys))
    await store.vacate(ACME)
    assert await store.count(ACME) == 0

    assert await fill(store) == {one.key for one in await scanned(store, 3)}


@pytest.mark.real_server
async def test_an_index_of_its_own_goes_with_its_tenant(opensearch_address: str) -> None:
    client = connect(opensearch_address)
    layout = IndexLayout(f"contract-own-{secrets.token_hex(6)}", DIMENSIONS, shards=1, replicas=0, tenant=ACME)
    own = OpenSearchChunkIndex(client, layout)
    await fill(own)

    await own.vacate(GLOBEX)
    assert client.indices.exists(index=layout.physical_name)
    await own.vacate(ACME)
    assert not client.indices.exists(index=layout.physical_name)
    assert await own.count(ACME) == 0
    client.close()


@pytest.mark.real_server
async def test_an_index_of_an_earlier_release_takes_chunks_and_says_which_cannot_be_copied(
    opensearch_address: str,
) -> None:
    client = connect(opensearch_address)
    layout = IndexLayout(f"contract-old-{secrets.token_hex(6)}", DIMENSIONS, shards=1, replicas=0)
    body = layout.to_body()
    for name in layout.copied_fields():
        del body["mappings"]["properties"][name]
    client.indices.create(index=layout.physical_name, body=body)
    store = OpenSearchChunkIndex(client, layout)

    await fill(store)
    assert len(await scanned(store, 3)) == 7

    old = next(iter(await store.scan(ACME, None, 1)))
    source = {"tenant": ACME, "scope": "s", "document_id": old.chunk.document_id, "chunk_id": "x", "ordinal": 0}
    client.index(index=layout.name, id="old", body=source, params={"routing": ACME})
    with pytest.raises(ChunkNotCopyableError):
        await scanned(store, 100)
    client.indices.delete(index=layout.physical_name)
    client.close()


@pytest.mark.real_server
async def test_a_node_says_how_full_it_is_and_one_that_is_gone_does_not_answer(opensearch_address: str) -> None:
    client, nobody = connect(opensearch_address), connect("http://127.0.0.1:1")

    assert 0 < await OpenSearchLoad(client).load() <= 1
    with pytest.raises(IndexUnavailableError):
        await OpenSearchLoad(nobody).load()
    client.close()
    nobody.close()


async def test_a_file_says_how_full_it_is(tmp_path: Path) -> None:
    file = tmp_path / "chunks.sqlite"
    assert await SqliteLoad(file).load() == 0

    store = SqliteChunkIndex(file)
    await store.write(ACME, HOME, [chunk(1, "text")])
    store.close()
    assert 0 < await SqliteLoad(file).load() < 0.01


async def test_indexes_of_tenants_alone_are_opened_by_tenant_and_hold_nobody_elses(tmp_path: Path) -> None:
    opened: list[str] = []

    def opening(tenant: TenantId) -> SqliteChunkIndex:
        opened.append(tenant)
        return SqliteChunkIndex(tmp_path / f"{tenant}.sqlite")

    own = OwnIndexes(opening)
    keys = await fill(own)
    await own.write(GLOBEX, HOME, [chunk(1, "of another tenant")])
    await own.refresh(GLOBEX, HOME)

    assert (await own.count(ACME), await own.count(GLOBEX)) == (len(keys), 1)
    assert {one.key for one in await own.scan(ACME, None, 99)} == keys
    assert await own.delete_document_generation(ACME, HOME, document(1), 1) == 3
    assert [hit.text for hit in await own.search_keyword(GLOBEX, HOME, "another", 5)] == ["of another tenant"]
    assert (await own.read_back(GLOBEX, HOME, document(1), 1, 0)).count == 1
    assert len(await own.search_vector(GLOBEX, HOME, chunk(1, "of another tenant").vector, 5)) == 1
    await own.delete_scope(ACME, HOME)
    rest = [one.key for one in await own.scan(ACME, None, 99)]
    assert [one.key for one in await own.fetch(ACME, rest)] == rest
    await own.remove(ACME, rest)
    await own.vacate(ACME)
    assert await own.count(ACME) == 0
    assert opened == [ACME, GLOBEX]
