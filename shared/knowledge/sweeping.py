"""What nobody may read any more is destroyed: it saves space, and makes an erasure true (K12, invariant 2).

Each thing is cleared twice: when it is due, and again after the longest time a stalled writer can come back.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.kernel.clock import Clock
from shared.kernel.ids import IndexGeneration
from shared.knowledge.errors import RetryLaterError, StaleWriteError
from shared.knowledge.keys import prefix_of
from shared.knowledge.lifecycle import bury, drop_live
from shared.knowledge.messages import SweepDocument, SweepKnowledgeBase
from shared.knowledge.models import Document, KnowledgeBase, Leftover, Retired
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import ArtifactStore, DocumentRepository, ObjectStore, Put, WorkQueue
from shared.knowledge.settlement import Settlement
from shared.knowledge.waiting_line import WaitingLine
from shared.retrieval.ports import ChunkIndex, Scope

_TRIES = 30


class Sweeping:
    """Clears leftovers of documents and of knowledge bases."""

    def __init__(
        self,
        records: DocumentRepository,
        objects: ObjectStore,
        artifacts: ArtifactStore,
        index: ChunkIndex,
        queue: WorkQueue,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._records = records
        self._objects = objects
        self._artifacts = artifacts
        self._index = index
        self._queue = queue
        self._clock = clock
        self._policy = policy
        self._settlement = Settlement(records, clock, policy)
        self._line = WaitingLine(records, queue, clock, policy)

    async def sweep_document(self, message: SweepDocument) -> None:
        """Clear what is due of one document. Doing it twice, or too early, changes nothing."""
        for _ in range(_TRIES):
            kb = await self._records.knowledge_base(message.tenant, message.kb_id)
            document = await self._records.document(message.tenant, message.kb_id, message.document_id)
            if kb is None or document is None:
                return
            now = self._clock.now()
            due = [left for left in document.leftovers if left.due <= now]
            if not due and not document.buried:
                return
            for left in due:
                await self._clear(document, left)
            await self._destroy_originals(document)
            try:
                await self._settlement.settle(kb, document, self._swept(document, due, now))
            except StaleWriteError:
                continue
            return
        raise RetryLaterError("The document keeps changing. It is swept again shortly.", retry_after_s=5)

    async def _clear(self, document: Document, left: Leftover) -> None:
        tenant, kb_id, document_id = document.tenant, document.kb_id, document.document_id
        scope = Scope(kb_id, left.index_generation)
        await self._index.delete_document_generation(tenant, scope, document_id, left.generation)
        await self._artifacts.delete_generation(tenant, kb_id, document_id, left.generation)

    async def _destroy_originals(self, document: Document) -> None:
        """Destroy what a request deleted: the versions it listed, and any that its delete marker covers all the same.

        A version that is current again is a new life, except under a deleted upload id.
        """
        doomed: Sequence[str] = sorted(document.buried)
        if document.tombstone is not None and document.tombstone.by_request:
            versions = await self._objects.versions(document.tenant, document.key)
            if document.upload_id is not None or await self._objects.head(document.tenant, document.key) is None:
                doomed = versions
        await self._objects.purge(document.tenant, document.key, doomed)

    def _swept(self, document: Document, done: list[Leftover], now: datetime) -> Document:
        """Return the document without what was cleared; what may yet be written by a stalled writer comes once more."""
        left = [leftover for leftover in document.leftovers if leftover not in done]
        left += [
            replace(leftover, due=now + self._policy.message_lifetime, is_last=True)
            for leftover in done
            if not leftover.is_last
        ]
        return replace(document, leftovers=tuple(left), buried=frozenset())

    async def sweep_knowledge_base(self, message: SweepKnowledgeBase) -> None:
        """Clear all of a deleted base, or its retired index generations, one page of documents at a time."""
        kb = await self._records.knowledge_base(message.tenant, message.kb_id)
        if kb is None:
            return
        try:
            if kb.deleted_at is not None:
                await self._sweep_deleted(kb, message)
            else:
                await self._sweep_retired(kb, message)
        except StaleWriteError:
            raise RetryLaterError("Something of the base changed meanwhile. The page is swept again.", 5) from None

    async def _sweep_deleted(self, kb: KnowledgeBase, message: SweepKnowledgeBase) -> None:
        for index_generation in range(1, kb.newest + 1):
            await self._index.delete_scope(kb.tenant, Scope(kb.kb_id, index_generation))
        page = await self._records.documents(kb.tenant, kb.kb_id, self._policy.sweep_page, message.after)
        for document in page:
            await self._erase(kb, document)
        if len(page) == self._policy.sweep_page:
            await self._queue.send([message.model_copy(update={"after": page[-1].document_id})])
            return
        if await self._destroy_objects(kb):
            await self._queue.send([message.model_copy(update={"after": None})])
            return
        await self._end_sweep(kb)

    async def _erase(self, kb: KnowledgeBase, document: Document) -> None:
        await self._artifacts.delete_document(document.tenant, document.kb_id, document.document_id)
        await self._objects.delete(document.tenant, document.key)
        versions = await self._objects.versions(document.tenant, document.key)
        await self._objects.purge(document.tenant, document.key, versions)
        buried = replace(bury(document, self._clock.now(), by_request=True), leftovers=())
        if not document.is_deleted or document.leftovers:
            await self._line.follow(await self._settlement.settle(kb, document, buried))

    async def _destroy_objects(self, kb: KnowledgeBase) -> bool:
        """Destroy files that never became documents; return whether there may be more."""
        limit = self._policy.sweep_page
        keys = await self._objects.keys(kb.tenant, prefix_of(kb.tenant, kb.kb_id), limit)
        for key in keys:
            await self._objects.delete(kb.tenant, key)
            await self._objects.purge(kb.tenant, key, await self._objects.versions(kb.tenant, key))
        return len(keys) == limit

    async def _end_sweep(self, kb: KnowledgeBase) -> None:
        """Come once more after the longest life of a message; then nothing of the base can be written any more."""
        deleted_at = kb.deleted_at or self._clock.now()
        again = deleted_at + self._policy.message_lifetime
        due = again if self._clock.now() < again else None
        await self._commit(replace(kb, due=due))

    async def _sweep_retired(self, kb: KnowledgeBase, message: SweepKnowledgeBase) -> None:
        now = self._clock.now()
        due = [retired for retired in kb.retired if retired.due <= now]
        if not due:
            return
        for retired in due:
            await self._index.delete_scope(kb.tenant, Scope(kb.kb_id, retired.index_generation))
        page = await self._records.documents(kb.tenant, kb.kb_id, self._policy.sweep_page, message.after)
        gone = frozenset(retired.index_generation for retired in due)
        for document in page:
            await self._forget_index(kb, document, gone)
        if len(page) == self._policy.sweep_page:
            await self._queue.send([message.model_copy(update={"after": page[-1].document_id})])
            return
        kept = [retired for retired in kb.retired if retired not in due]
        kept += [
            Retired(retired.index_generation, now + self._policy.message_lifetime, is_last=True)
            for retired in due
            if not retired.is_last
        ]
        moments = [retired.due for retired in kept] + ([now] if kb.target is not None else [])
        await self._commit(replace(kb, retired=tuple(kept), due=min(moments, default=None)))

    async def _forget_index(self, kb: KnowledgeBase, document: Document, gone: frozenset[IndexGeneration]) -> None:
        after = drop_live(document, gone, self._clock.now())
        if after is not document:
            await self._settlement.settle(kb, document, after)

    async def _commit(self, kb: KnowledgeBase) -> None:
        await self._records.commit(kb.tenant, [Put(kb, is_progress=True)])
