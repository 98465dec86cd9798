"""Embedding with a memory: a text that was embedded before costs a look-up (K5)."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.kernel.ids import TenantId
from shared.retrieval.ports import ContentHash, Embedder, EmbeddingCache


def content_hash(model_id: str, text: str) -> ContentHash:
    """Return what identifies the vector of `text` under one model."""
    return ContentHash(hashlib.sha256(f"{model_id}\0{text}".encode("utf-8", "surrogatepass")).hexdigest())


def embedded_text(context: str, text: str) -> str:
    """Return what is embedded of a chunk: what stands around it, then its own text."""
    return f"{context}\n{text}" if context else text


class CachedEmbedder:
    """An embedder that asks the tenant's cache first; none can probe another tenant's texts."""

    def __init__(self, embedder: Embedder, cache: EmbeddingCache) -> None:
        self._embedder = embedder
        self._cache = cache

    @property
    def model_id(self) -> str:
        return self._embedder.model_id

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    async def embed(self, tenant: TenantId, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), rows of unit length in the order of `texts`."""
        hashes = [content_hash(self.model_id, text) for text in texts]
        vectors = await self._cache.get_many(tenant, hashes)
        missing = {key: text for key, text in zip(hashes, texts, strict=True) if key not in vectors}
        if missing:
            embedded = dict(zip(missing, await self._embedder.embed(list(missing.values())), strict=True))
            await self._cache.put_many(tenant, embedded)
            vectors |= embedded
        if not hashes:
            return np.empty((0, self.dimensions), dtype=np.float32)
        return np.stack([vectors[key] for key in hashes])
