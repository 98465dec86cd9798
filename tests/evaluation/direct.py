"""A knowledge base filled straight through the ports: chunk, embed, write, search; no queue and no table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from shared.kernel.ids import DocumentId, Generation, IndexGeneration, KnowledgeBaseId, TenantId, encode_base32
from shared.retrieval.embedding import embedded_text
from shared.retrieval.fusion import DEFAULT_VECTOR_WEIGHT
from shared.retrieval.ports import ChunkIndex, Embedder, IndexedChunk, Scope, SearchScope
from shared.retrieval.search import SearchService
from tests.evaluation.question_sets import SetDocument

TENANT = TenantId("evaluation")
KB_ID = KnowledgeBaseId("kb_" + "0" * 26)
SCOPE = Scope(KB_ID, 1)


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


async def fill(index: ChunkIndex, embedder: Embedder, documents: Sequence[SetDocument]) -> FilledBase:
    """Index `documents`, each as one chunk, and return the base."""
    started = perf_counter()
    set_ids = {DocumentId("doc_" + encode_base32(number, 26)): found.id for number, found in enumerate(documents)}
    written = 0
    for first in range(0, len(documents), 200):
        batch = list(zip(list(set_ids)[first : first + 200], documents[first : first + 200], strict=True))
        vectors = await embedder.embed([embedded_text(found.title, found.text) for _, found in batch])
        chunks = [
            IndexedChunk(document_id, 1, 0, 0, len(found.text), None, found.title, found.title, found.text, vector)
            for (document_id, found), vector in zip(batch, vectors, strict=True)
        ]
        await index.write(TENANT, SCOPE, chunks)
        written += len(chunks)
    await index.refresh(TENANT, SCOPE)
    service = SearchService(OneBase(), index, embedder, EverythingLives())
    return FilledBase(service, set_ids, written, perf_counter() - started)
