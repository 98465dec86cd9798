"""The schedule that finds what stalled: killed processes, lost messages, promises nobody used (K2, invariant 8)."""

from dataclasses import dataclass, replace

from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.knowledge.errors import StaleWriteError
from shared.knowledge.fetch_lifecycle import nudge_fetch
from shared.knowledge.indexing import publish_messages
from shared.knowledge.lifecycle import expire, fail
from shared.knowledge.messages import (
    AdvanceReindex,
    LookAgain,
    Message,
    SweepKnowledgeBase,
    fetch_of,
    parse_of,
    sweep_of,
)
from shared.knowledge.models import Document, DocumentStatus, KnowledgeBase, ReasonCode, Stage, Work
from shared.knowledge.parsing import index_messages
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import (
    DocumentRepository,
    Due,
    DueRecords,
    ObjectStore,
    Put,
    TenantFigures,
    WatchLine,
    WorkQueue,
)
from shared.knowledge.settlement import Settlement
from shared.knowledge.waiting_line import WaitingLine

FINDS_PER_RUN = 500


@dataclass(frozen=True, slots=True)
class Recovered:
    """What one run of the schedule did."""

    found: int
    moved: int


class Recovery:
    """Looks at every record whose `due` has passed."""

    def __init__(
        self,
        records: DocumentRepository,
        due: DueRecords,
        objects: ObjectStore,
        queue: WorkQueue,
        figures: TenantFigures,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._records = records
        self._due = due
        self._objects = objects
        self._queue = queue
        self._clock = clock
        self._policy = policy
        self._figures = figures
        self._settlement = Settlement(records, clock, policy)
        self._line = WaitingLine(records, queue, clock, policy)

    async def recover(self) -> Recovered:
        """Send again what was lost, fail what was killed too often, expire and sweep; late or doubled does no harm."""
        found = moved = 0
        async for due in self._due.due_records(self._clock.now(), FINDS_PER_RUN):
            found += 1
            try:
                moved += await self._look(due)
            except StaleWriteError:
                continue  # somebody is at work on it, so it is not stuck
        return Recovered(found, moved)

    async def _look(self, due: Due) -> bool:
        """Act on one find; it may be outdated, so the record is read again first."""
        if due.kb_id is None:
            return await self._waiting_line(due.tenant)
        kb = await self._records.knowledge_base(due.tenant, due.kb_id)
        if kb is None:
            return False
        if due.document_id is None:
            return await self._base(kb)
        document = await self._records.document(due.tenant, due.kb_id, due.document_id)
        if document is None or document.due is None or document.due > self._clock.now():
            return False
        if kb.deleted_at is not None:
            return await self._of_deleted_base(kb, document)
        return await self._document(kb, document)

    async def _waiting_line(self, tenant: TenantId) -> bool:
        """Fill places that were given back by somebody who was killed then, or that the plan now has."""
        line = await self._records.line(tenant)
        figures = await self._figures.figures(tenant)
        due = self._clock.now() + self._policy.line_check if line.waiting else None
        await self._records.commit(tenant, [WatchLine(figures.concurrent_documents, due)])
        await self._line.fill(tenant)
        return line.waiting > 0

    async def _base(self, kb: KnowledgeBase) -> bool:
        now = self._clock.now()
        if kb.due is None or kb.due > now:
            return False
        messages: list[Message] = []
        if kb.deleted_at is not None or any(retired.due <= now for retired in kb.retired):
            messages.append(SweepKnowledgeBase(tenant=kb.tenant, kb_id=kb.kb_id))
        if kb.deleted_at is None and kb.target is not None:
            messages.append(AdvanceReindex(tenant=kb.tenant, kb_id=kb.kb_id, target=kb.target))
        await self._queue.send(messages)
        later = self._policy.patience if messages else None
        following = replace(kb, due=None if later is None else now + later)
        await self._records.commit(kb.tenant, [Put(following, is_progress=True)])
        return True

    async def _of_deleted_base(self, kb: KnowledgeBase, document: Document) -> bool:
        """The base's own sweep takes its documents along; here they only leave the list of what is due."""
        ended = replace(document, work=None, leftovers=(), upload_expires_at=None)
        await self._line.follow(await self._settlement.settle(kb, document, ended))
        return True

    async def _document(self, kb: KnowledgeBase, document: Document) -> bool:
        now = self._clock.now()
        messages: list[Message] = []
        if any(left.due <= now for left in document.leftovers):
            messages.append(sweep_of(document))
        after = document
        if document.work is not None:
            after = self._nudged(document, document.work)
            messages.extend(_messages_of(after))
        elif document.is_fetching:
            is_there = await self._objects.head(document.tenant, document.key) is not None
            after = nudge_fetch(document, now, self._policy, is_there=is_there)
            if after.is_fetching:
                messages.append(LookAgain(keys=(document.key,)) if is_there else fetch_of(after))
        elif document.stage is Stage.AWAITING_UPLOAD and document.status is DocumentStatus.PROCESSING:
            if await self._objects.head(document.tenant, document.key) is None:
                after = expire(document, now)
            else:
                messages.append(LookAgain(keys=(document.key,)))
                after = replace(document, upload_expires_at=now + self._policy.patience)
        settled = await self._settlement.settle(kb, document, after)
        await self._queue.send(messages)
        await self._line.follow(settled)
        return True

    def _nudged(self, document: Document, work: Work) -> Document:
        """Fail the document if a unit's last attempt was killed; otherwise its messages are to be sent again."""
        now = self._clock.now()
        for unit, attempts in work.attempts.items():
            if attempts.until <= now and attempts.owner is not None and attempts.count >= self._policy.attempts:
                return fail(document, unit, ReasonCode.INTERRUPTED, None, now)
        expired = [unit for unit, known in work.attempts.items() if known.owner is not None and known.until <= now]
        rested = {
            unit: replace(known, owner=None) if unit in expired else known for unit, known in work.attempts.items()
        }
        return replace(document, work=replace(work, attempts=rested, nudges=work.nudges + 1, stage_since=now))


def _messages_of(document: Document) -> list[Message]:
    """Return what has to be delivered for the work under way to go on, whatever its stage."""
    work = document.work
    if work is None:
        return []
    if work.stage in {Stage.ACCEPTED, Stage.PARSING}:
        return [parse_of(document)]
    return [*index_messages(document), *publish_messages(document)]
