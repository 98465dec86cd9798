"""Which found chunks may be shown: those of a document's live generation (invariant 2)."""

from collections.abc import Iterable

from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId
from shared.retrieval.ports import Hit, LiveDocuments, Scope
from shared.retrieval.stages import Stages


class Liveness:
    """What one request knows about live documents; each document is read at most once, after the search found it."""

    def __init__(self, live: LiveDocuments, tenant: TenantId, scope: Scope, stages: Stages) -> None:
        self._live = live
        self._tenant = tenant
        self._scope = scope
        self._stages = stages
        self._generations: dict[DocumentId, Generation | None] = {}

    @property
    def _kb_id(self) -> KnowledgeBaseId:
        return self._scope.kb_id

    async def verify(self, hits: Iterable[Hit]) -> bool:
        """Read the documents of `hits` that were not read yet; return whether there were any."""
        unknown = list(dict.fromkeys(hit.document_id for hit in hits if hit.document_id not in self._generations))
        if not unknown:
            return False
        with self._stages.measured("verify"):
            found = await self._live.live_generations(self._tenant, self._kb_id, self._scope.index_generation, unknown)
        self._generations.update((document_id, found.get(document_id)) for document_id in unknown)
        return True

    def is_dead(self, hit: Hit) -> bool:
        """Answer whether `hit` was read and must not be shown; False for what was not read yet."""
        return hit.document_id in self._generations and self._generations[hit.document_id] != hit.generation
