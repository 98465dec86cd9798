"""Indexing a whole knowledge base a second time, without downtime: fill the target, then flip (K12).

A scan goes over all documents, page by page, and carries what it found from message to message. Only a scan that
found every served document in the target, while nothing was published since it began, may flip the readers.
"""

from dataclasses import replace

from shared.kernel.clock import Clock
from shared.kernel.ids import IndexGeneration
from shared.knowledge.errors import StaleWriteError
from shared.knowledge.lifecycle import start_reindex_work
from shared.knowledge.messages import AdvanceReindex, Message, SweepKnowledgeBase, parse_of
from shared.knowledge.models import Document, KnowledgeBase, Retired
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import Count, DocumentRepository, Put, WorkQueue
from shared.knowledge.settlement import Settlement
from shared.knowledge.waiting_line import WaitingLine


class Reindexing:
    """Drives the second indexing of a knowledge base."""

    def __init__(self, records: DocumentRepository, queue: WorkQueue, clock: Clock, policy: IngestionPolicy) -> None:
        self._records = records
        self._queue = queue
        self._clock = clock
        self._policy = policy
        self._settlement = Settlement(records, clock, policy)
        self._line = WaitingLine(records, queue, clock, policy)

    async def advance(self, message: AdvanceReindex) -> None:
        """Scan one page; start what is missing; at the end flip, or come again after a pause."""
        kb = await self._records.knowledge_base(message.tenant, message.kb_id)
        if kb is None or kb.deleted_at is not None or kb.target != message.target:
            return
        if message.scan is not None and message.scan < kb.scan:
            return
        publishes = message.publishes
        if publishes is None:
            publishes = (await self._records.tally(kb.tenant, kb.kb_id)).publishes
        page = await self._records.documents(kb.tenant, kb.kb_id, self._policy.reindex_page, message.after)
        lacking, in_flight = message.lacking, message.in_flight
        for document in page:
            if not _lacks(document, kb.serving, message.target):
                continue
            lacking += 1
            if document.work is not None or (
                in_flight < self._policy.reindex_in_flight and await self._start(kb, document, message.target)
            ):
                in_flight += 1
        if len(page) == self._policy.reindex_page:
            await self._queue.send(
                [
                    message.model_copy(
                        update={
                            "after": page[-1].document_id,
                            "publishes": publishes,
                            "lacking": lacking,
                            "in_flight": in_flight,
                        }
                    )
                ]
            )
        elif lacking or not await self._flip(kb, publishes):
            await self._come_again(kb)

    async def _start(self, kb: KnowledgeBase, document: Document, target: IndexGeneration) -> bool:
        served = document.served_in(kb.serving)
        if served is None or document.reindex_failed == target:
            return False
        try:
            settled = await self._settlement.settle(
                kb, document, start_reindex_work(document, served, target, self._clock.now()), insist_on_base=True
            )
        except StaleWriteError:
            return False  # the next scan looks at it again
        if settled.document.is_in_process:
            await self._queue.send([parse_of(settled.document)])
        await self._line.follow(settled)
        return True

    async def _flip(self, kb: KnowledgeBase, publishes: int) -> bool:
        """Let readers use the target; False when something was published since the scan began."""
        if kb.target is None or kb.target_config is None:
            return True
        now = self._clock.now()
        retired = (*kb.retired, Retired(kb.serving, now + self._policy.read_grace))
        flipped = replace(
            kb,
            serving=kb.target,
            config=kb.target_config,
            target=None,
            target_config=None,
            retired=retired,
            updated_at=now,
            due=min(old.due for old in retired),
        )
        try:
            await self._records.commit(kb.tenant, [Put(flipped), Count(kb.kb_id, publishes_still=publishes)])
        except StaleWriteError:
            return False
        messages: list[Message] = [SweepKnowledgeBase(tenant=kb.tenant, kb_id=kb.kb_id)]
        await self._queue.send(messages, delay_s=int(self._policy.read_grace_s))
        return True

    async def _come_again(self, kb: KnowledgeBase) -> None:
        """Scan anew after a pause. The base counts scans, so that two that run side by side become one again."""
        following = replace(kb, scan=kb.scan + 1, due=self._clock.now() + self._policy.patience)
        try:
            await self._records.commit(kb.tenant, [Put(following, is_progress=True)])
        except StaleWriteError:
            # The base changed, or another scan was faster: whoever did that, or the schedule, scans again.
            return
        scan = AdvanceReindex(tenant=kb.tenant, kb_id=kb.kb_id, target=following.newest, scan=following.scan)
        await self._queue.send([scan], delay_s=self._policy.reindex_pause_s)


def _lacks(document: Document, serving: IndexGeneration, target: IndexGeneration) -> bool:
    return document.served_in(serving) is not None and document.served_in(target) is None
