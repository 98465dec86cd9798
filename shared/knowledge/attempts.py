"""Counted, leased attempts at one unit of work (K2: three attempts with back-off, then failed).

An attempt is counted when its lease is taken, so a process that is killed has used one up; a delivery that finds
nothing to do, or a lease of somebody else, has not.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.documents.ports import RejectedDocumentError
from shared.kernel.clock import Clock
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId
from shared.knowledge.errors import (
    AttemptFailedError,
    AttemptsExhaustedError,
    BusyError,
    RetryLaterError,
    StaleWriteError,
)
from shared.knowledge.lifecycle import fail, is_of_failed_unit, move_to_stage, reject, with_attempts
from shared.knowledge.models import Attempts, Document, KnowledgeBase, ReasonCode, Stage, Work
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import DocumentRepository, WorkQueue
from shared.knowledge.settlement import Settled, Settlement
from shared.knowledge.waiting_line import WaitingLine

PARSE: Final = "parse"
PUBLISH: Final = "publish"
_TRIES: Final = 50
_log = logging.getLogger("tessera.ingestion")

_REASONS: Final = {
    Stage.ACCEPTED: ReasonCode.PARSING_FAILED,
    Stage.PARSING: ReasonCode.PARSING_FAILED,
    Stage.INDEXING: ReasonCode.INDEXING_FAILED,
    Stage.PUBLISHING: ReasonCode.PUBLISHING_FAILED,
}


Change = Callable[[KnowledgeBase, Document], Document]
"""A pure change of a document, given its knowledge base as it is now."""


def index_unit(batch: int) -> str:
    """Return the name of the unit that embeds and writes one batch of chunks."""
    return f"index-{batch}"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of one generation of one document."""

    tenant: TenantId
    kb_id: KnowledgeBaseId
    document_id: DocumentId
    generation: Generation
    name: str


@dataclass(frozen=True, slots=True)
class Leased:
    """A unit that is ours until the lease ends, with the records as they were read when it was taken."""

    unit: Unit
    owner: str
    kb: KnowledgeBase
    document: Document
    work: Work


class SupersededError(Exception):
    """The generation is not the accepted one any more, or its unit is done: nothing is left to do. Stays inside."""


class AttemptLedger:
    """Takes and gives back leases on units of work, and ends what fails too often."""

    def __init__(self, records: DocumentRepository, queue: WorkQueue, clock: Clock, policy: IngestionPolicy) -> None:
        self._records = records
        self._clock = clock
        self._policy = policy
        self._settlement = Settlement(records, clock, policy)
        self._line = WaitingLine(records, queue, clock, policy)

    async def look(self, unit: Unit) -> tuple[KnowledgeBase, Document, Work]:
        """Return the records of `unit` while its generation is under way.

        Raises: SupersededError when it is not; AttemptsExhaustedError when this very unit is what failed.
        """
        kb = await self._records.knowledge_base(unit.tenant, unit.kb_id)
        document = await self._records.document(unit.tenant, unit.kb_id, unit.document_id)
        if kb is None or kb.deleted_at is not None or document is None or document.is_deleted:
            raise SupersededError
        if is_of_failed_unit(document, unit.generation, unit.name):
            raise _exhausted()
        if document.work is None or document.work.generation != unit.generation:
            raise SupersededError
        return kb, document, document.work

    @asynccontextmanager
    async def attempt(self, unit: Unit, *, entering: Stage | None = None) -> AsyncIterator[Leased]:
        """Hold the lease of `unit` while the body runs; a failure of the body is a counted, failed attempt.

        The body commits its own result, which also ends the lease.
        Raises: SupersededError, BusyError, AttemptFailedError, AttemptsExhaustedError, RetryLaterError.
        """
        leased = await self._begin(unit, entering)
        try:
            yield leased
        except (SupersededError, RetryLaterError):
            raise
        except RejectedDocumentError as error:
            await self._end_rejected(leased, error)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is this attempt's outcome, and is raised on
            await self._end_failed(leased, error)

    async def settle(
        self, unit: Unit, change: Change, *, insist_on_base: bool = False, published: bool = False
    ) -> Settled:
        """Commit `change` of the document while the unit's generation is under way, however often others interfere.

        Raises: SupersededError when it no longer is.
        """
        for _ in range(_TRIES):
            kb, document, _work = await self.look(unit)
            try:
                return await self._settlement.settle(
                    kb, document, change(kb, document), insist_on_base=insist_on_base, published=published
                )
            except StaleWriteError:
                continue
        raise RetryLaterError("The document keeps changing. The step is repeated.", retry_after_s=1)

    async def _begin(self, unit: Unit, entering: Stage | None) -> Leased:
        owner = secrets.token_hex(8)
        for _ in range(_TRIES):
            kb, document, work = await self.look(unit)
            now = self._clock.now()
            known = work.attempts.get(unit.name)
            if known is not None and known.owner != owner and now < known.until:
                raise BusyError(
                    "Another delivery works on this, or it rests after a failure.",
                    retry_after_s=(known.until - now) / timedelta(seconds=1),
                )
            if known is not None and known.owner != owner and known.count >= self._policy.attempts:
                # The last attempt was killed before it could say so.
                await self.give_up(unit, ReasonCode.INTERRUPTED, None)
                raise _exhausted()
            if known is not None and known.owner == owner:
                return Leased(unit, owner, kb, document, work)  # our write went through, its answer was lost
            count = 1 if known is None else known.count + 1
            leased = with_attempts(document, unit.name, Attempts(count, now + self._policy.lease, owner))
            if entering is not None:
                leased = move_to_stage(leased, entering, now)
            try:
                settled = await self._settlement.settle(kb, document, leased)
            except StaleWriteError:
                continue
            if settled.document.work is None:
                raise SupersededError
            return Leased(unit, owner, kb, settled.document, settled.document.work)
        raise RetryLaterError("The document keeps changing. The step is repeated.", retry_after_s=1)

    async def _end_rejected(self, leased: Leased, error: RejectedDocumentError) -> None:
        reason = str(error.facts.get("reason", ReasonCode.PARSING_FAILED))
        now = self._clock.now()
        await self._line.follow(
            await self.settle(leased.unit, lambda _kb, document: reject(document, reason, str(error), now))
        )

    async def _end_failed(self, leased: Leased, error: Exception) -> None:
        """Note a failed attempt and raise what the delivery must do now."""
        _log.warning("attempt failed", extra={"unit": leased.unit.name}, exc_info=error)
        count = leased.work.attempts[leased.unit.name].count
        if count >= self._policy.attempts:
            await self.give_up(leased.unit, _REASONS[leased.work.stage], type(error).__name__)
            raise _exhausted() from error
        rest_s = self._policy.backoff_s(count)

        def rest(_kb: KnowledgeBase, document: Document) -> Document:
            known = document.work.attempts.get(leased.unit.name) if document.work is not None else None
            if known is None or known.owner != leased.owner:
                raise SupersededError  # somebody took over after our lease ended
            return with_attempts(document, leased.unit.name, Attempts(count, _after(self._clock.now(), rest_s), None))

        await self.settle(leased.unit, rest)
        raise AttemptFailedError(
            f"Attempt {count} of {self._policy.attempts} failed. The next one follows by itself.",
            retry_after_s=rest_s,
        ) from error

    async def give_up(self, unit: Unit, reason: ReasonCode, detail: str | None) -> None:
        """End the generation as failed, and remember `unit` as what failed."""
        now = self._clock.now()
        await self._line.follow(
            await self.settle(unit, lambda _kb, document: fail(document, unit.name, reason, detail, now))
        )


def _exhausted() -> AttemptsExhaustedError:
    return AttemptsExhaustedError("Every attempt failed. Retry the document once the cause is gone.")


def _after(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
