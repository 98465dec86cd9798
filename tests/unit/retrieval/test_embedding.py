"""Embedding with a memory."""

from collections.abc import Mapping, Sequence

import numpy as np

from shared.kernel.ids import TenantId
from shared.retrieval.embedding import CachedEmbedder, content_hash, embedded_text
from shared.retrieval.ports import ContentHash, Vector
from tests.unit.retrieval.memory import ACME, DIMENSIONS, WordEmbedder, vector_of

GLOBEX = TenantId("globex")


class MemoryCache:
    """Vectors by tenant and hash."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[TenantId, ContentHash], Vector] = {}

    async def get_many(self, tenant: TenantId, hashes: Sequence[ContentHash]) -> dict[ContentHash, Vector]:
        return {key: self._vectors[tenant, key] for key in hashes if (tenant, key) in self._vectors}

    async def put_many(self, tenant: TenantId, vectors: Mapping[ContentHash, Vector]) -> None:
        self._vectors |= {(tenant, key): vector for key, vector in vectors.items()}


async def test_a_text_is_embedded_once_however_often_it_is_asked() -> None:
    embedder = WordEmbedder()
    cached = CachedEmbedder(embedder, MemoryCache())

    first = await cached.embed(ACME, ["north wind", "sun", "north wind"])
    second = await cached.embed(ACME, ["sun", "moon"])

    assert embedder.asked == ["north wind", "sun", "moon"]
    assert np.array_equal(first, np.stack([vector_of(text) for text in ("north wind", "sun", "north wind")]))
    assert np.array_equal(second, np.stack([vector_of(text) for text in ("sun", "moon")]))


async def test_tenants_do_not_share_entries() -> None:
    embedder = WordEmbedder()
    cached = CachedEmbedder(embedder, MemoryCache())

    await cached.embed(ACME, ["sun"])
    await cached.embed(GLOBEX, ["sun"])

    assert embedder.asked == ["sun", "sun"]


async def test_no_texts_give_no_vectors() -> None:
    vectors = await CachedEmbedder(WordEmbedder(), MemoryCache()).embed(ACME, [])

    assert vectors.shape == (0, DIMENSIONS)


def test_a_vector_belongs_to_one_model() -> None:
    assert content_hash("a", "text") != content_hash("b", "text")


def test_context_is_embedded_before_the_text() -> None:
    assert embedded_text("Terms › Notice", "30 days") == "Terms › Notice\n30 days"
    assert embedded_text("", "30 days") == "30 days"
