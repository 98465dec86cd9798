"""Search in one knowledge base of 20,000 and of 100,000 chunks, per store: each leg, and the whole service (K6, K7).

The whole service embeds the query, asks both legs at once, fuses, verifies and highlights. Beside it stand the two legs
as one would write them by hand, one after the other: a BM25 query and a nearest-neighbour query, each filtered by the
base, without any statistics of the base's own. All of it runs in turn, in one run.
"""

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

import apsw
import numpy as np
import sqlite_vec
from opensearchpy import OpenSearch

from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.adapters.minilm.model import DIMENSIONS
from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
from shared.adapters.opensearch.client import connect
from shared.adapters.opensearch.filters import scope_key
from shared.adapters.opensearch.layout import IndexLayout
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.adapters.sqlite.schema import keyword_table, vector_table
from shared.kernel.ids import DocumentId, encode_base32
from shared.kernel.tenants import admitted
from shared.retrieval.keywords import query_terms
from shared.retrieval.ports import ChunkIndex, IndexedChunk, Vector
from shared.retrieval.query import SearchQuery
from shared.retrieval.search import CANDIDATES, SearchService
from tests.ambient import looking_on
from tests.benchmarks.samples import MODEL, passages, questions
from tests.benchmarks.table import Table, median_ratio
from tests.evaluation.direct import KB_ID, SCOPE, TENANT, EverythingLives, OneBase
from tests.opensearch_server import running_node

STORES: Final = os.environ.get("BENCH_STORES", "sqlite opensearch").split()
SIZES: Final = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "20000 100000").split())
QUERIES: Final = 112
UNCOUNTED: Final = 20
"""The first queries warm caches, compiled scripts and the model."""

NEAR: Final = 0.5
"""Length of the noise that is added to the vector of a passage, to make the vector of a variant."""


RawLegs = Callable[[str, Vector], None]
"""Both legs by hand, one after the other."""


@dataclass(frozen=True, slots=True)
class Store:
    """A filled store, and the way around our adapter."""

    index: ChunkIndex
    raw: RawLegs


def run() -> Table:
    with looking_on():
        return asyncio.run(_run())


async def _run() -> Table:
    embedder = MiniLmEmbedder(MODEL)
    rows = []
    for size in SIZES:
        for name, opened in (("sqlite", _sqlite), ("opensearch", _opensearch)):
            if name in STORES:
                with tempfile.TemporaryDirectory(prefix="tessera-bench-", ignore_cleanup_errors=True) as folder:
                    async with opened(Path(folder), size, embedder) as store:
                        rows.append((name, f"{size:,}", *await _figures(store, embedder)))
    return Table(
        "Search",
        f"One knowledge base, {CANDIDATES} candidates per leg, {QUERIES - UNCOUNTED} questions of the shared sets, "
        "each new to the store. p50 / p95 in ms. Hybrid is the whole service with embedding and verification (in "
        "memory here: one DynamoDB read more in production). Bar: below 2.5 × the legs by hand; at 20,000 chunks of a "
        "warm OpenSearch p50 < 25 and p95 < 50 ms on an idle machine.",
        ("store", "chunks", "keyword", "vector", "hybrid", "legs by hand", "hybrid ÷ by hand"),
        rows,
    )


async def _figures(store: Store, embedder: MiniLmEmbedder) -> tuple[str, ...]:
    service = SearchService(OneBase(), store.index, embedder, EverythingLives())
    timed: dict[str, list[float]] = {name: [] for name in ("keyword", "vector", "hybrid", "raw")}
    for asked, (keyword, hybrid) in enumerate(_questions()):
        vector = (await embedder.embed([keyword]))[0]
        runs: dict[str, Callable[[], Awaitable[object]]] = {
            "keyword": lambda text=keyword: store.index.search_keyword(TENANT, SCOPE, text, CANDIDATES),  # type: ignore[misc]
            "vector": lambda of=vector: store.index.search_vector(TENANT, SCOPE, of, CANDIDATES),  # type: ignore[misc]
            "hybrid": lambda text=hybrid: service.search(TENANT, KB_ID, SearchQuery(text)),  # type: ignore[misc]
            "raw": lambda text=hybrid, of=vector: asyncio.to_thread(store.raw, text, of),  # type: ignore[misc]
        }
        for name, call in runs.items():
            started = perf_counter()
            await call()
            if asked >= UNCOUNTED:
                timed[name].append(1000 * (perf_counter() - started))
    figures = ("{:.1f} / {:.1f}".format(*np.percentile(times, [50, 95])) for times in timed.values())
    return (*figures, f"{median_ratio(timed['hybrid'], timed['raw']):.2f}")


def _questions() -> Iterator[tuple[str, str]]:
    """Yield pairs of questions, so that no leg meets terms that an earlier one has just counted."""
    texts = questions(2 * QUERIES)
    return zip(texts[:QUERIES], texts[QUERIES : 2 * QUERIES], strict=True)


async def _fill(index: ChunkIndex, size: int, embedder: MiniLmEmbedder) -> None:
    """Write variants of some hundreds of passages of all three sets: halves of two, near the vector of the first."""
    texts = passages(900)
    vectors = await embedder.embed([text[:600] for text in texts])
    generator = np.random.default_rng(0)
    for first in range(0, size, 1000):
        pairs = generator.integers(0, len(texts), size=(1000, 2))
        noise = generator.normal(scale=NEAR / np.sqrt(DIMENSIONS), size=(1000, DIMENSIONS))
        noisy = vectors[pairs[:, 0]] + noise
        unit = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
        await index.write(
            TENANT, SCOPE,
            [_variant(first + number, texts[left], texts[right], unit[number])
             for number, (left, right) in enumerate(pairs)],
        )  # fmt: skip
    await index.refresh(TENANT, SCOPE)


def _variant(number: int, left: str, right: str, vector: Vector) -> IndexedChunk:
    text = f"{left[: len(left) // 2]} {right[len(right) // 2 :]}"[:1000]
    document_id = DocumentId("doc_" + encode_base32(number, 26))
    return IndexedChunk(document_id, 1, 0, 0, len(text), None, "Title", "Title", text, vector)


@contextlib.asynccontextmanager
async def _sqlite(folder: Path, size: int, embedder: MiniLmEmbedder) -> AsyncIterator[Store]:
    file = folder / "chunks.sqlite"
    index = SqliteChunkIndex(file)
    await _fill(index, size, embedder)
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    keywords, vectors = keyword_table(1), vector_table(DIMENSIONS)

    def raw(text: str, vector: Vector) -> None:
        anyone = " OR ".join(f'"{term}"' for term in query_terms(text))
        found = f"SELECT rowid AS id FROM {keywords} WHERE {keywords} MATCH ? ORDER BY bm25({keywords}) LIMIT ?"  # noqa: S608
        near = f"SELECT chunk AS id FROM {vectors} WHERE embedding MATCH ? AND k = ? AND scope = 1"  # noqa: S608
        for ids, asked in ((found, anyone), (near, vector.tobytes())):
            sql = f"SELECT c.* FROM ({ids}) JOIN chunks c USING (id)"  # noqa: S608
            connection.execute(sql, (asked, CANDIDATES)).fetchall()

    yield Store(index, raw)
    connection.close()
    index.close()


@contextlib.asynccontextmanager
async def _opensearch(_: Path, size: int, embedder: MiniLmEmbedder) -> AsyncIterator[Store]:
    node = running_node()
    client = connect(await asyncio.to_thread(node.__enter__))
    try:
        layout = IndexLayout(f"bench-{secrets.token_hex(4)}", DIMENSIONS, replicas=0)
        index = OpenSearchChunkIndex(client, layout)
        await _fill(index, size, embedder)
        yield Store(index, _raw_opensearch(client, layout))
        client.indices.delete(index=layout.physical_name)
    finally:
        client.close()
        await asyncio.to_thread(node.__exit__, None, None, None)


def _raw_opensearch(client: OpenSearch, layout: IndexLayout) -> RawLegs:
    base = {"term": {"scope": scope_key(admitted(TENANT), SCOPE)}}

    def raw(text: str, vector: Vector) -> None:
        words = {"match": {"terms": " ".join(query_terms(text))}}
        near = {"vector": {"vector": vector.tolist(), "k": CANDIDATES, "filter": base}}
        for query in ({"bool": {"must": words, "filter": base}}, {"knn": near}):
            client.search(index=layout.name, body={"size": CANDIDATES, "query": query}, params={"routing": TENANT})

    return raw
