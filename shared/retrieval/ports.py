"""What retrieval needs from outside: an embedder and a chunk index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NewType, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import DocumentId, Generation, IndexGeneration, KnowledgeBaseId, TenantId
from shared.retrieval.fields import Condition, FieldType, MetadataValue

Vector = NDArray[np.float32]
"""Shape (dimensions,), unit length."""


class IndexUnavailableError(TesseraError):
    """The chunk index did not answer, or not in time; the same call may succeed later."""

    code: ClassVar[str] = "index-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class Embedder(Protocol):
    """Turns texts into unit vectors (K5)."""

    @property
    def model_id(self) -> str:
        """Name and version of the weights: vectors of different ids must never be compared."""
        ...

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), rows of unit length in the order of `texts`."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What one query may see, inside one tenant: one knowledge base in one index generation (invariants 2, 4)."""

    kb_id: KnowledgeBaseId
    index_generation: IndexGeneration


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """One chunk as an index keeps it; identity is (scope, document, generation, ordinal).

    `text` is the span's text, `context` what is indexed before it (title, headings, table header).
    """

    document_id: DocumentId
    generation: Generation
    ordinal: int
    start: int
    end: int
    page: int | None
    title: str
    context: str
    text: str
    vector: Vector
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk found by one leg; `score` is that leg's own scale, higher is better."""

    document_id: DocumentId
    generation: Generation
    ordinal: int
    start: int
    end: int
    page: int | None
    title: str
    context: str
    text: str
    score: float
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)

    @property
    def chunk_id(self) -> str:
        return f"{self.document_id}.{self.generation}.{self.ordinal}"


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What a search after a refresh finds of one document generation."""

    count: int
    has_first: bool
    has_last: bool


class ChunkIndex(Protocol):
    """Chunks of all knowledge bases, searchable by keyword and by vector (K6, K7).

    Tenant, knowledge base, index generation and conditions are applied inside the query of both legs: `limit` hits
    come back whenever that many match. Two identical writes leave one chunk. Nothing of another tenant, base or
    index generation is ever returned, counted or scored against.
    """

    async def write(self, tenant: TenantId, scope: Scope, chunks: Sequence[IndexedChunk]) -> None:
        """Add or replace `chunks` (at most 1,000); durable on return, searchable after `refresh` at the latest."""
        ...

    async def refresh(self, tenant: TenantId, scope: Scope) -> None:
        """Make all finished writes visible to searches."""
        ...

    async def read_back(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation, last_ordinal: int
    ) -> ReadBack:
        """Search for one document generation: how many chunks, and whether ordinals 0 and `last_ordinal` are there."""
        ...

    async def search_keyword(
        self,
        tenant: TenantId,
        scope: Scope,
        query: str,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        """Return the best chunks by BM25 (k1 1.2, b 0.75), best first; a query without any known term finds nothing.

        `without` names document generations to leave out. Ties are broken by chunk id.
        """
        ...

    async def search_vector(
        self,
        tenant: TenantId,
        scope: Scope,
        vector: Vector,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        """Return the nearest chunks by cosine similarity in [-1, 1], best first. Ties are broken by chunk id."""
        ...

    async def delete_document_generation(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation
    ) -> int:
        """Remove every chunk of one document generation; return how many there were."""
        ...

    async def delete_scope(self, tenant: TenantId, scope: Scope) -> None:
        """Remove everything of one knowledge base and index generation."""
        ...


@dataclass(frozen=True, slots=True)
class SearchScope:
    """How one knowledge base is searched now; `vector_weight`, in [0, 1], is the vector leg's share."""

    scope: Scope
    vector_weight: float
    fields: Mapping[str, FieldType] = field(default_factory=dict)


class SearchScopes(Protocol):
    """What a search must know of a knowledge base before it starts."""

    async def scope_of(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> SearchScope:
        """Return the serving scope and settings of a knowledge base, strongly consistent.

        Raises: KnowledgeBaseNotFoundError, also when the base belongs to another tenant or was deleted.
        """
        ...


class LiveDocuments(Protocol):
    """Which version of a document may be shown (invariant 2)."""

    async def live_generations(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        index_generation: IndexGeneration,
        document_ids: Sequence[DocumentId],
    ) -> Mapping[DocumentId, Generation]:
        """Return the live generation of each document in one index generation, by strongly consistent reads.

        A document that is deleted, unknown, or never became ready is absent. `document_ids` are distinct, of any
        number, in any order.
        """
        ...


ContentHash = NewType("ContentHash", str)
"""SHA-256 of a text and of the id of the model that embedded it, in hexadecimal."""


class EmbeddingCache(Protocol):
    """Vectors already computed, by content hash. Losing an entry costs time, never correctness."""

    async def get_many(self, tenant: TenantId, hashes: Sequence[ContentHash]) -> dict[ContentHash, Vector]:
        """Return the vectors that are known; an unknown hash is absent. `hashes` may be empty or repeat."""
        ...

    async def put_many(self, tenant: TenantId, vectors: Mapping[ContentHash, Vector]) -> None:
        """Keep `vectors` for a while; `vectors` may be empty."""
        ...
