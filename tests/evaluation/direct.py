"""A knowledge base filled straight through the ports: chunk, embed, write, search; no queue and no table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from shared.documents.canonical import Block, BlockKind, CanonicalText, Chunk
from shared.documents.chunking.chunker import chunk, indexed_text
from shared.documents.chunking.config import ChunkingConfig
from shared.documents.ports import Tokenizer
from shared.kernel.ids import DocumentId, Generation, IndexGeneration, KnowledgeBaseId, TenantId, encode_base32
from shared.retrieval.fusion import DEFAULT_VECTOR_WEIGHT
from shared.retrieval.ports import ChunkIndex, Embedder, IndexedChunk, Scope, SearchScope, Vector
from shared.retrieval.search import SearchService
from tests.evaluation.question_sets import SetDocument

TENANT = TenantId("evaluation")
KB_ID = KnowledgeBaseId("kb_" + "0" * 26)
SCOPE = Scope(KB_ID, 1)
BATCH = 200


class EverythingLives:
    """Live documents of a base in which nothing is ever replaced or deleted."""

    async def live_generations(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        index_generation: IndexGeneration,
        document_ids: Sequence[DocumentId],
    ) -> Mapping[DocumentId, Generation]:
        return dict.fromkeys(document_ids, 1)


class OneBase:
    """Scopes of a tenant with a single knowledge base."""

    async def scope_of(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> SearchScope:
        return SearchScope(SCOPE, DEFAULT_VECTOR_WEIGHT)


@dataclass(frozen=True, slots=True)
class FilledBase:
    """A searchable knowledge base, and which document of the set each of its documents is."""

    search: SearchService
    set_ids: Mapping[DocumentId, str]
    chunks: int
    seconds: float


async def fill(
    index: ChunkIndex, embedder: Embedder, tokenizer: Tokenizer, documents: Sequence[SetDocument]
) -> FilledBase:
    """Chunk, embed and index `documents` as a new knowledge base would, and return the base."""
    started = perf_counter()
    set_ids = {DocumentId("doc_" + encode_base32(number, 26)): found.id for number, found in enumerate(documents)}
    pieces = [
        (document_id, text, piece)
        for document_id, found in zip(set_ids, documents, strict=True)
        for text in [canonical_text(found)]
        for piece in chunk(text, ChunkingConfig(), tokenizer)
    ]
    for first in range(0, len(pieces), BATCH):
        batch = pieces[first : first + BATCH]
        vectors = await embedder.embed([indexed_text(text, piece) for _, text, piece in batch])
        await index.write(
            TENANT, SCOPE, [_indexed(*found, vector) for found, vector in zip(batch, vectors, strict=True)]
        )
    await index.refresh(TENANT, SCOPE)
    service = SearchService(OneBase(), index, embedder, EverythingLives())
    return FilledBase(service, set_ids, len(pieces), perf_counter() - started)


def canonical_text(document: SetDocument) -> CanonicalText:
    """Return the text of a set's document, its title apart."""
    paragraph = Block(BlockKind.PARAGRAPH, 0, len(document.text))
    blocks = (paragraph,) if document.text.strip() else ()
    return CanonicalText(document.text, "txt", document.title or None, blocks=blocks)


def _indexed(document_id: DocumentId, text: CanonicalText, piece: Chunk, vector: Vector) -> IndexedChunk:
    return IndexedChunk(
        document_id,
        1,
        piece.ordinal,
        piece.start,
        piece.end,
        piece.page,
        text.title or "",
        piece.context,
        text.text[piece.start : piece.end],
        vector,
    )
