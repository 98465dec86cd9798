"""Stage three: batches of chunks, embedded and written to the index; finished batches form a set (K2, K5, K6)."""

from dataclasses import replace

from shared.documents.canonical import CanonicalText
from shared.documents.serialisation import ChunkManifest
from shared.kernel.clock import Clock
from shared.knowledge.attempts import AttemptLedger, Leased, SupersededError, Unit, index_unit
from shared.knowledge.errors import ContentGoneError
from shared.knowledge.lifecycle import move_to_stage, with_attempts
from shared.knowledge.messages import IndexChunks, Message, PublishDocument
from shared.knowledge.models import Document, Stage
from shared.knowledge.parsing import move_on
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import ArtifactStore, DocumentRepository, WorkQueue
from shared.retrieval.embedding import CachedEmbedder, embedded_text
from shared.retrieval.ports import ChunkIndex, IndexedChunk, Scope


class Indexing:
    """Embeds and writes one batch at a time."""

    def __init__(
        self,
        records: DocumentRepository,
        artifacts: ArtifactStore,
        queue: WorkQueue,
        index: ChunkIndex,
        embedder: CachedEmbedder,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._attempts = AttemptLedger(records, queue, clock, policy)
        self._artifacts = artifacts
        self._queue = queue
        self._index = index
        self._embedder = embedder
        self._clock = clock
        self._policy = policy

    async def index(self, message: IndexChunks) -> None:
        """Write one batch; when it is the last one, hand the document on. Doing it twice changes nothing.

        Raises: BusyError, AttemptFailedError, AttemptsExhaustedError.
        """
        unit = Unit(message.tenant, message.kb_id, message.document_id, message.generation, index_unit(message.batch))
        try:
            _, document, work = await self._attempts.look(unit)
            if work.stage is not Stage.INDEXING or message.batch in work.batches_done:
                await self._queue.send(publish_messages(document))
                return
            async with self._attempts.attempt(unit) as leased:
                messages = await self._run(leased, message.batch)
            await self._queue.send(messages)
        except SupersededError:
            return

    async def _run(self, leased: Leased, batch: int) -> list[Message]:
        unit = leased.unit
        place = (unit.tenant, unit.kb_id, unit.document_id, unit.generation)
        if leased.kb.config_of(leased.work.index_generation) is None:
            return await move_on(self._attempts, unit, self._clock, self._policy)
        text = await self._artifacts.get_text(*place)
        manifest = await self._artifacts.get_manifest(*place)
        if text is None or manifest is None:
            raise ContentGoneError("The text of this generation is not there. Retry the document.")
        chunks = await self._embedded(leased, text, manifest, batch)
        await self._index.write(unit.tenant, Scope(unit.kb_id, leased.work.index_generation), chunks)
        settled = await self._attempts.settle(unit, lambda _kb, document: self._written(document, batch))
        return publish_messages(settled.document)

    async def _embedded(
        self, leased: Leased, text: CanonicalText, manifest: ChunkManifest, batch: int
    ) -> list[IndexedChunk]:
        size = self._policy.batch_size
        spans = manifest.chunks[batch * size : (batch + 1) * size]
        bodies = [text.text[span.start : span.end] for span in spans]
        vectors = await self._embedder.embed(
            leased.unit.tenant,
            [embedded_text(span.context, body) for span, body in zip(spans, bodies, strict=True)],
        )
        return [
            IndexedChunk(
                document_id=leased.unit.document_id,
                generation=leased.unit.generation,
                ordinal=span.ordinal,
                start=span.start,
                end=span.end,
                page=span.page,
                title=text.title or leased.document.name,
                context=span.context,
                text=body,
                vector=vector,
                metadata=leased.document.metadata,
            )
            for span, body, vector in zip(spans, bodies, vectors, strict=True)
        ]

    def _written(self, document: Document, batch: int) -> Document:
        work = document.work
        if work is None or work.stage is not Stage.INDEXING:
            return document
        done = replace(work, batches_done=work.batches_done | {batch})
        noted = with_attempts(replace(document, work=done), index_unit(batch), None)
        if len(done.batches_done) < done.batches:
            return noted
        return move_to_stage(noted, Stage.PUBLISHING, self._clock.now())


def publish_messages(document: Document) -> list[Message]:
    """Return the message that publishes the work under way, none while batches are missing."""
    work = document.work
    if work is None or work.stage is not Stage.PUBLISHING:
        return []
    return [
        PublishDocument(
            tenant=document.tenant,
            kb_id=document.kb_id,
            document_id=document.document_id,
            generation=work.generation,
        )
    ]
