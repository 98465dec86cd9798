"""Stage four: read back what was written, then flip, in one conditional write (invariants 1, 2; measure 8)."""

from dataclasses import replace

from shared.kernel.clock import Clock
from shared.knowledge.attempts import PUBLISH, AttemptLedger, Leased, SupersededError, Unit
from shared.knowledge.lifecycle import move_to_stage, publish, with_attempts
from shared.knowledge.messages import PublishDocument, sweep_of
from shared.knowledge.models import Document, KnowledgeBase, Stage
from shared.knowledge.parsing import index_messages, move_on
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import DocumentRepository, WorkQueue
from shared.knowledge.waiting_line import WaitingLine
from shared.retrieval.ports import ChunkIndex, ReadBack, Scope


class NotReadableError(Exception):
    """The index does not give back all that was written; the batches are written again. Stays inside."""

    def __init__(self, found: ReadBack, wanted: int) -> None:
        super().__init__(f"The index gave back {found.count} of {wanted} chunks.")


class Publishing:
    """Makes a generation live."""

    def __init__(
        self,
        records: DocumentRepository,
        queue: WorkQueue,
        index: ChunkIndex,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._attempts = AttemptLedger(records, queue, clock, policy)
        self._line = WaitingLine(records, queue, clock, policy)
        self._queue = queue
        self._index = index
        self._clock = clock
        self._policy = policy

    async def publish(self, message: PublishDocument) -> None:
        """Serve one generation once a search finds all of it; doing it twice changes nothing.

        Raises: BusyError, AttemptFailedError, AttemptsExhaustedError.
        """
        unit = Unit(message.tenant, message.kb_id, message.document_id, message.generation, PUBLISH)
        try:
            _, document, work = await self._attempts.look(unit)
            if work.stage is not Stage.PUBLISHING:
                await self._queue.send(index_messages(document))
                return
            async with self._attempts.attempt(unit) as leased:
                await self._run(leased)
        except SupersededError:
            return

    async def _run(self, leased: Leased) -> None:
        unit, work = leased.unit, leased.work
        if leased.kb.config_of(work.index_generation) is None:
            await self._queue.send(await move_on(self._attempts, unit, self._clock, self._policy))
            return
        scope = Scope(unit.kb_id, work.index_generation)
        await self._index.refresh(unit.tenant, scope)
        found = await self._index.read_back(
            unit.tenant, scope, unit.document_id, unit.generation, last_ordinal=work.chunks - 1
        )
        if not (found.count == work.chunks and found.has_first and found.has_last):
            settled = await self._attempts.settle(unit, lambda _kb, document: _write_again(document, self._clock))
            await self._queue.send(index_messages(settled.document))
            raise NotReadableError(found, work.chunks)
        try:
            settled = await self._attempts.settle(unit, self._flip, insist_on_base=True, published=True)
        except MovedOnError:
            await self._queue.send(await move_on(self._attempts, unit, self._clock, self._policy))
            return
        if settled.document.leftovers:
            await self._queue.send([sweep_of(settled.document)], delay_s=int(self._policy.read_grace_s))
        await self._line.follow(settled)

    def _flip(self, kb: KnowledgeBase, document: Document) -> Document:
        if document.work is None or document.work.stage is not Stage.PUBLISHING:
            raise SupersededError
        if kb.config_of(document.work.index_generation) is None:
            raise MovedOnError
        done = with_attempts(document, PUBLISH, None)
        return publish(move_to_stage(done, Stage.DONE, self._clock.now()), self._clock.now(), self._policy)


class MovedOnError(Exception):
    """The knowledge base serves another index generation now. Stays inside."""


def _write_again(document: Document, clock: Clock) -> Document:
    work = document.work
    if work is None or work.stage is not Stage.PUBLISHING:
        return document
    return move_to_stage(replace(document, work=replace(work, batches_done=frozenset())), Stage.INDEXING, clock.now())
