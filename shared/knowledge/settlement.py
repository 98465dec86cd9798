"""One change of one document, with all that must change with it, as one commit (invariant 3).

The difference between the record before and after decides what else moves: counters of base and tenant, claims on
contents, whoever waits for a content that becomes free, and the line of those who wait to be processed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.kernel.clock import Clock
from shared.knowledge.claims import Claims, Handed
from shared.knowledge.counting import Step, counts, documents_per_base, moves_in_line
from shared.knowledge.errors import CapacityExhaustedError, DocumentLimitError, NoPlaceError
from shared.knowledge.lifecycle import begin_at_once, due_of
from shared.knowledge.models import Document, KnowledgeBase, ReasonCode
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import Check, DocumentRepository, MoveInLine, Put, Write
from shared.tenancy.plans import Figures


@dataclass(frozen=True, slots=True)
class Settled:
    """What was committed: the document as it is now, and the duplicates whose wait for its content is over.

    `moves_line` says that a place for processing became free, or that somebody now waits for one.
    """

    document: Document
    duplicates: tuple[Document, ...] = ()
    moves_line: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one document, and what it brings along; stays inside."""

    kb: KnowledgeBase
    step: Step
    duplicates: Sequence[Step]
    claims: Sequence[Write]
    figures: Figures | None


class Settlement:
    """Commits transitions of documents."""

    def __init__(self, records: DocumentRepository, clock: Clock, policy: IngestionPolicy) -> None:
        self._records = records
        self._claims = Claims(records, clock)
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
        given_up = held_before - after.held_hashes
        gained = await self._claims.gain(after, after.held_hashes - held_before)
        waited = await self._claims.wait(before, after)

        async def commit(handed: Handed) -> Settled:
            change = Change(kb, Step(before, after), handed.duplicates, [*gained, *waited, *handed.claims], figures)
            return await self._begin_or_wait(change, insist_on_base=insist_on_base, published=published)

        handed = await self._claims.hand_on(kb, after, given_up)
        try:
            return await commit(handed)
        except DocumentLimitError as error:
            if not handed.duplicates:
                raise _limit_of_plan(kb, figures, error) or error from None
            # What `after` does must not fail because there is no room for somebody who waited for it.
            ended = await self._claims.end_waiting(after, given_up, ReasonCode.DOCUMENT_LIMIT, str(error))
        return await commit(ended)

    async def _begin_or_wait(self, change: Change, *, insist_on_base: bool, published: bool) -> Settled:
        if change.step.begins_to_wait:
            at_once = replace(change.step, after=begin_at_once(change.step.after))
            try:
                return await self._commit(
                    replace(change, step=at_once), insist_on_base=insist_on_base, published=published
                )
            except NoPlaceError:
                pass
        return await self._commit(change, insist_on_base=insist_on_base, published=published)

    async def _commit(self, change: Change, *, insist_on_base: bool, published: bool) -> Settled:
        steps = [change.step, *change.duplicates]
        stamped = [self._stamp(step.after) for step in steps]
        counted = counts(change.kb, steps, change.figures, published=published)
        moved = moves_in_line(steps, change.figures, self._clock.now() + self._policy.line_check)
        # Deleting a base releases what it holds, so nothing may be counted in or out of it at the same time.
        insists = insist_on_base or bool(counted) or bool(change.duplicates)
        checks: list[Write] = [Check(change.kb)] if insists else []
        tenant = change.step.after.tenant
        puts = [Put(record, is_progress=step.is_progress) for step, record in zip(steps, stamped, strict=True)]
        await self._records.commit(tenant, [*puts, *change.claims, *counted, *moved, *checks])
        document, *duplicates = map(_at_next, stamped)
        return Settled(document, tuple(duplicates), moves_line=any(_calls_next(write) for write in moved))

    def _stamp(self, document: Document) -> Document:
        return replace(document, updated_at=self._clock.now(), due=due_of(document, self._policy))


def _limit_of_plan(
    kb: KnowledgeBase, figures: Figures | None, error: DocumentLimitError
) -> CapacityExhaustedError | None:
    """Return the refusal that names the plan, when that is what limits the base; None when its own setting does."""
    if figures is None or kb.document_limit < figures.documents_per_knowledge_base:
        return None
    return CapacityExhaustedError(
        "documents_per_knowledge_base", documents_per_base(kb, figures), int(error.facts["used"])
    )


def _calls_next(write: Write) -> bool:
    return isinstance(write, MoveInLine) and (write.processing < 0 or write.waiting > 0)


def _at_next(document: Document) -> Document:
    return replace(document, revision=document.revision + 1)
