"""Chunks for tests of a chunk index."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.retrieval.fields import MetadataValue
from shared.retrieval.ports import IndexedChunk, Scope, Vector

DIMENSIONS: Final = 16

ACME: Final = TenantId("acme")
GLOBEX: Final = TenantId("globex")


def scope(number: int = 1, index_generation: int = 1) -> Scope:
    return Scope(KnowledgeBaseId(f"kb_{number:026d}"), index_generation)


def document(number: int) -> DocumentId:
    return DocumentId(f"doc_{number:026d}")


def unit_vector(seed: str, dimensions: int = DIMENSIONS) -> Vector:
    """Return the same vector for the same seed, in every process."""
    generator = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]))
    vector = generator.normal(size=dimensions)
    unit: Vector = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def chunk(
    number: int,
    text: str,
    *,
    ordinal: int = 0,
    generation: int = 1,
    context: str = "",
    metadata: Mapping[str, MetadataValue] | None = None,
    vector: Vector | None = None,
    page: int | None = None,
) -> IndexedChunk:
    """Return a chunk of document `number`; its vector follows from its text unless given."""
    return IndexedChunk(
        document_id=document(number),
        generation=generation,
        ordinal=ordinal,
        start=100 * ordinal,
        end=100 * ordinal + len(text),
        page=page,
        title=f"Document {number}",
        context=context,
        text=text,
        vector=unit_vector(text) if vector is None else vector,
        metadata=metadata or {},
    )


def batches(chunks: list[IndexedChunk], size: int = 500) -> Iterator[list[IndexedChunk]]:
    for start in range(0, len(chunks), size):
        yield chunks[start : start + size]
