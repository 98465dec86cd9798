"""One change of one document, with all that must change with it, as one commit (invariant 3).

The difference between the record before and after decides what else moves: counters of base and tenant, claims on
contents, whoever waits for a content that becomes free, and the line of those who wait to be processed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.kernel.clock import Clock
from shared.kernel.ids import DocumentId, TaskId, new_id
from shared.knowledge.counting import Step, counts, documents_per_base, moves_in_line
from shared.knowledge.errors import CapacityExhaustedError, DocumentLimitError, NoPlaceError
from shared.knowledge.lifecycle import begin_at_once, due_of, start_upload_work
from shared.knowledge.models import ContentClaim, Document, DocumentStatus, KnowledgeBase
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import Check, DocumentRepository, MoveInLine, Put, Remove, Write
from shared.tenancy.plans import Figures


@dataclass(frozen=True, slots=True)
class Settled:
    """What was committed: the document as it is now, and the duplicates that took over a content from it.

    `moves_line` says that a place for processing became free, or that somebody now waits for one.
    """

    document: Document
    promoted: tuple[Document, ...] = ()
    moves_line: bool = False


class ContentHeldError(Exception):
    """Another document holds the content that this one wanted to take; never leaves the domain."""

    def __init__(self, owner: DocumentId) -> None:
        super().__init__(owner)
        self.owner = owner


class Settlement:
    """Commits transitions of documents."""

    def __init__(self, records: DocumentRepository, clock: Clock, policy: IngestionPolicy) -> None:
        self._records = records
        self._clock = clock
        self._policy = policy

    async def settle(
        self,
        kb: KnowledgeBase,
        before: Document | None,
        after: Document,
        *,
        figures: Figures | None = None,
        insist_on_base: bool = False,
        published: bool = False,
    ) -> Settled:
        """Replace `before` by `after`; with `insist_on_base`, only while `kb` is as it was read.

        What begins to wait is processed at once where there is a place for it. `figures` are what the tenant's plan
        allows; who takes something in has to know them.

        Raises: StaleWriteError when anything moved since it was read; ContentHeldError; DocumentLimitError;
        CapacityExhaustedError; NoPlaceError when `after` leaves the line and there is no place for it.
        """
        held_before = before.held_hashes if before is not None else frozenset()
        gained = await self._gain(after, after.held_hashes - held_before)
        waited = await self._wait(before, after)
        released, heirs = await self._release(kb, after, held_before - after.held_hashes)
        claims = [*gained, *waited, *released]

        async def commit(document: Document) -> Settled:
            steps = [Step(before, document), *heirs]
            return await self._commit(
                kb, steps, claims, figures, insist_on_base=insist_on_base or bool(heirs), published=published
            )

        if Step(before, after).begins_to_wait:
            try:
                return await commit(begin_at_once(after))
            except NoPlaceError:
                pass
        return await commit(after)

    async def _commit(
        self,
        kb: KnowledgeBase,
        steps: Sequence[Step],
        claims: Sequence[Write],
        figures: Figures | None,
        *,
        insist_on_base: bool,
        published: bool,
    ) -> Settled:
        stamped = [self._stamp(step.after) for step in steps]
        counted = counts(kb, steps, figures, published=published)
        moved = moves_in_line(steps, figures, self._clock.now() + self._policy.line_check)
        # Deleting a base releases what it holds, so nothing may be counted in or out of it at the same time.
        checks: list[Write] = [Check(kb)] if insist_on_base or counted else []
        try:
            await self._records.commit(steps[0].after.tenant, [*map(Put, stamped), *claims, *counted, *moved, *checks])
        except DocumentLimitError as error:
            if figures is not None and figures.documents_per_knowledge_base <= kb.document_limit:
                raise CapacityExhaustedError(
                    "documents_per_knowledge_base", documents_per_base(kb, figures), int(error.facts["used"])
                ) from None
            raise
        document, *promoted = map(_at_next, stamped)
        return Settled(document, tuple(promoted), moves_line=any(_calls_next(write) for write in moved))

    def _stamp(self, document: Document) -> Document:
        return replace(document, updated_at=self._clock.now(), due=due_of(document, self._policy))

    async def _gain(self, after: Document, hashes: frozenset[str]) -> list[Write]:
        writes: list[Write] = []
        for sha256 in sorted(hashes):
            claim = await self._records.claim(after.tenant, after.kb_id, sha256)
            if claim is None:
                writes.append(Put(ContentClaim(after.tenant, after.kb_id, sha256, after.document_id)))
            elif claim.owner != after.document_id:
                raise ContentHeldError(claim.owner)
            else:
                writes.append(Check(claim))
        return writes

    async def _wait(self, before: Document | None, after: Document) -> Sequence[Write]:
        """Enter a skipped duplicate among those who wait for its content."""
        if after.status is not DocumentStatus.SKIPPED_DUPLICATE or after.source is None or after.source.sha256 is None:
            return []
        if before is not None and before.status is after.status and before.source == after.source:
            return []
        claim = await self._records.claim(after.tenant, after.kb_id, after.source.sha256)
        if claim is None or claim.owner == after.document_id:
            raise ContentHeldError(after.document_id)
        if after.document_id in claim.waiters:
            return [Check(claim)]
        return [Put(replace(claim, waiters=(*claim.waiters, after.document_id)))]

    async def _release(
        self, kb: KnowledgeBase, after: Document, hashes: frozenset[str]
    ) -> tuple[list[Write], list[Step]]:
        """Hand each content on to whoever has waited longest for it, or forget it."""
        writes: list[Write] = []
        heirs: list[Step] = []
        for sha256 in sorted(hashes):
            claim = await self._records.claim(after.tenant, after.kb_id, sha256)
            if claim is None or claim.owner != after.document_id:
                continue
            heir, waiters = await self._heir(kb, claim, after.document_id)
            if heir is None:
                writes.append(Remove(claim))
                continue
            writes.append(Put(replace(claim, owner=heir.after.document_id, waiters=waiters)))
            heirs.append(heir)
        return writes, heirs

    async def _heir(
        self, kb: KnowledgeBase, claim: ContentClaim, giver: DocumentId
    ) -> tuple[Step | None, tuple[DocumentId, ...]]:
        """Return the oldest waiter that still waits for this content, as it starts on it, and who waits on."""
        if kb.deleted_at is not None:
            return None, ()
        for position, waiting in enumerate(claim.waiters):
            if waiting == giver:
                continue
            document = await self._records.document(claim.tenant, claim.kb_id, waiting)
            if document is None or document.status is not DocumentStatus.SKIPPED_DUPLICATE or document.source is None:
                continue
            if document.source.sha256 != claim.sha256:
                continue
            now = self._clock.now()
            heir = start_upload_work(document, document.source, kb.serving, now, TaskId(new_id("task", now)))
            return Step(document, heir), tuple(other for other in claim.waiters[position + 1 :] if other != giver)
        return None, ()


def _calls_next(write: Write) -> bool:
    return isinstance(write, MoveInLine) and (write.processing < 0 or write.waiting > 0)


def _at_next(document: Document) -> Document:
    return replace(document, revision=document.revision + 1)
