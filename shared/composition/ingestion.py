"""The stages of ingestion of one function, each built when first asked for, on the adapters that it was granted."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.composition.adapters import Adapters
from shared.kernel.clock import Clock

if TYPE_CHECKING:
    from shared.knowledge.indexing import Indexing
    from shared.knowledge.intake import Intake
    from shared.knowledge.parsing import Parsing
    from shared.knowledge.policy import IngestionPolicy
    from shared.knowledge.publishing import Publishing
    from shared.knowledge.recovery import Recovery
    from shared.knowledge.reindexing import Reindexing
    from shared.knowledge.sweeping import Sweeping


@dataclass(frozen=True)
class Ingestion:
    """From a file in the bucket to a document that is served, and back to nothing."""

    adapters: Adapters
    clock: Clock
    policy: "IngestionPolicy"

    @cached_property
    def intake(self) -> "Intake":
        from shared.knowledge.intake import Intake

        parts = self.adapters
        return Intake(parts.records, parts.objects, parts.work_queue, parts.tenant_figures, self.clock, self.policy)

    @cached_property
    def parsing(self) -> "Parsing":
        from shared.knowledge.parsing import Parsing

        parts = self.adapters
        return Parsing(
            parts.records,
            parts.objects,
            parts.artifacts,
            parts.work_queue,
            parts.parser,
            parts.tokenizer,
            self.clock,
            self.policy,
        )

    @cached_property
    def indexing(self) -> "Indexing":
        from shared.knowledge.indexing import Indexing
        from shared.retrieval.embedding import CachedEmbedder

        parts = self.adapters
        embedder = CachedEmbedder(parts.embedder, parts.embedding_cache)
        return Indexing(
            parts.records, parts.artifacts, parts.work_queue, parts.chunk_index, embedder, self.clock, self.policy
        )

    @cached_property
    def publishing(self) -> "Publishing":
        from shared.knowledge.publishing import Publishing

        parts = self.adapters
        return Publishing(parts.records, parts.work_queue, parts.chunk_index, self.clock, self.policy)

    @cached_property
    def sweeping(self) -> "Sweeping":
        from shared.knowledge.sweeping import Sweeping

        parts = self.adapters
        return Sweeping(
            parts.records,
            parts.objects,
            parts.artifacts,
            parts.chunk_index,
            parts.work_queue,
            self.clock,
            self.policy,
        )

    @cached_property
    def recovery(self) -> "Recovery":
        from shared.knowledge.recovery import Recovery

        parts = self.adapters
        return Recovery(
            parts.records,
            parts.records,
            parts.objects,
            parts.work_queue,
            parts.tenant_figures,
            self.clock,
            self.policy,
        )

    @cached_property
    def reindexing(self) -> "Reindexing":
        from shared.knowledge.reindexing import Reindexing

        return Reindexing(self.adapters.records, self.adapters.work_queue, self.clock, self.policy)
