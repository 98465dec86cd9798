"""Every change that a document can go through, as pure functions: record in, record out (K2, K12, invariants 1–3).

None of them reads a clock, sends or stores; `settlement` turns the difference between two records into one commit.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.kernel.ids import DocumentId, Generation, IndexGeneration, TaskId
from shared.knowledge.fetch_lifecycle import fetch_due
from shared.knowledge.models import (
    Attempts,
    Document,
    DocumentStatus,
    Failure,
    Leftover,
    LiveGeneration,
    ObjectVersion,
    Purpose,
    ReasonCode,
    Stage,
    Tombstone,
    Work,
)
from shared.knowledge.policy import IngestionPolicy

FIRST_INDEX_GENERATION: Final[IndexGeneration] = 1


def start_upload_work(
    document: Document, source: ObjectVersion, index_generation: IndexGeneration, now: datetime, task_id: TaskId
) -> Document:
    """Take a new generation for new content; an older one under way is abandoned, what is served stays served.

    It waits in line, unless the one before it is processed or waits: then it takes over that place.
    """
    ticket = _ticket_of(document, now)
    cleared = drop_work(document, now)
    work = Work(
        cleared.accepted + 1, index_generation, Purpose.UPLOAD, source, _first_stage(ticket), now, ticket=ticket
    )
    return replace(
        _without_verdict(cleared),
        status=DocumentStatus.PROCESSING,
        stage=work.stage,
        source=source,
        accepted=work.generation,
        work=work,
        task_id=task_id,
        tombstone=None,
        attempt=1,
        timings_ms={},
    )


def start_reindex_work(document: Document, served: LiveGeneration, target: IndexGeneration, now: datetime) -> Document:
    """Take a new generation that indexes the served content another way; the document's status does not change."""
    ticket = _ticket_of(document, now)
    work = Work(
        document.accepted + 1,
        target,
        Purpose.REINDEX,
        served.source,
        _first_stage(ticket),
        now,
        text_of=served.generation,
        ticket=ticket,
    )
    return replace(document, accepted=work.generation, work=work, failure=None, reindex_failed=None)


def _ticket_of(document: Document, now: datetime) -> str | None:
    """Return the place in the waiting line of what starts now; None for a document that is processed already."""
    if document.work is not None:
        return document.work.ticket
    return f"{int(now.timestamp() * 1000):013d}-{document.document_id}"


def _first_stage(ticket: str | None) -> Stage:
    return Stage.ACCEPTED if ticket is None else Stage.QUEUED


def begin(document: Document, now: datetime) -> Document:
    """Let what waited be processed; how long it waited is one of its timings."""
    work = document.work
    if work is None or work.ticket is None:
        return document
    return move_to_stage(replace(document, work=replace(work, ticket=None)), Stage.ACCEPTED, now)


def begin_at_once(document: Document) -> Document:
    """Let what would have had to wait be processed without ever having waited."""
    work = document.work
    if work is None or work.ticket is None:
        return document
    started = replace(document, work=replace(work, ticket=None, stage=Stage.ACCEPTED))
    return started if work.purpose is Purpose.REINDEX else replace(started, stage=Stage.ACCEPTED)


def restart_under(
    document: Document, index_generation: IndexGeneration, now: datetime, policy: IngestionPolicy
) -> Document:
    """Take a new generation because the knowledge base moved on while this one was built; its text is taken over."""
    old = document.work
    if old is None:
        return document
    work = Work(
        document.accepted + 1, index_generation, old.purpose, old.source, Stage.ACCEPTED, now, text_of=old.generation
    )
    abandoned = drop_work(document, now + policy.read_grace)  # its text is still to be taken over
    return replace(abandoned, accepted=work.generation, work=work, stage=Stage.ACCEPTED)


def drop_work(document: Document, clear_at: datetime) -> Document:
    """Abandon what is being built: every further effect of that generation is void."""
    if document.work is None:
        return document
    left = Leftover(document.work.generation, document.work.index_generation, clear_at)
    return replace(document, work=None, leftovers=(*document.leftovers, left))


def reject(document: Document, reason: str, detail: str | None, now: datetime) -> Document:
    """End the latest attempt for good; the previous version stays live."""
    return _end(document, DocumentStatus.REJECTED, reason, detail, now)


def cancel(document: Document, now: datetime) -> Document:
    """End the latest attempt because somebody asked for it; the previous version stays live."""
    return _end(document, DocumentStatus.CANCELLED, ReasonCode.CANCELLED, None, now)


def expire(document: Document, now: datetime) -> Document:
    """End a promise that nobody used."""
    return _end(document, DocumentStatus.EXPIRED, ReasonCode.UPLOAD_EXPIRED, None, now)


def skip_duplicate(document: Document, owner: DocumentId, now: datetime) -> Document:
    """End the latest attempt because `owner` holds the same content; the document waits for that to change."""
    return replace(
        _end(document, DocumentStatus.SKIPPED_DUPLICATE, ReasonCode.DUPLICATE, None, now), duplicate_of=owner
    )


def fail(document: Document, unit: str, reason: ReasonCode, detail: str | None, now: datetime) -> Document:
    """Give up on the generation under way after its last attempt. A failed re-index leaves the status as it is."""
    work = document.work
    if work is None:
        return document
    failure = Failure(work.generation, unit)
    if work.purpose is Purpose.REINDEX:
        return replace(
            drop_work(document, now), failure=failure, reindex_failed=work.index_generation, reason_detail=detail
        )
    return replace(_end(document, DocumentStatus.FAILED, reason, detail, now), failure=failure)


def _end(document: Document, status: DocumentStatus, reason: str, detail: str | None, now: datetime) -> Document:
    stage = document.work.stage if document.work is not None else document.stage
    timings = document.work.timings_ms if document.work is not None else document.timings_ms
    return replace(
        _without_verdict(drop_work(document, now)),
        status=status,
        stage=stage,
        reason=reason,
        reason_detail=detail,
        timings_ms=timings,
        tombstone=None,
    )


def _without_verdict(document: Document) -> Document:
    return replace(document, reason=None, reason_detail=None, duplicate_of=None, failure=None)


def bury(document: Document, now: datetime, *, by_request: bool, buried: frozenset[str] = frozenset()) -> Document:
    """Make the document gone: nothing of it is served from the next read on, and no grace is given to clear it."""
    abandoned = drop_work(document, now)
    without_grace = tuple(
        left if left.is_last else replace(left, due=min(left.due, now)) for left in abandoned.leftovers
    )
    return replace(
        _without_verdict(abandoned),
        status=DocumentStatus.DELETED,
        stage=Stage.DONE,
        live={},
        leftovers=without_grace + _leftovers(document.live, now) + _late_file(document, now),
        tombstone=Tombstone(now, by_request),
        buried=document.buried | buried,
        metadata={},
        url_source=None,
    )


def _late_file(document: Document, now: datetime) -> tuple[Leftover, ...]:
    """Return what makes the sweep come for a file that was promised and may arrive after its document was deleted."""
    return (Leftover(document.accepted, FIRST_INDEX_GENERATION, now),) if document.awaits_file else ()


def forget_versions(document: Document, gone: frozenset[str], now: datetime) -> Document:
    """Stop serving and building what came from the versions `gone`; newer content stays."""
    dropped = {index: live for index, live in document.live.items() if live.source.version_id in gone}
    kept = {index: live for index, live in document.live.items() if index not in dropped}
    if document.work is not None and document.work.source.version_id in gone:
        document = drop_work(document, now)
    return replace(
        document,
        live=kept,
        leftovers=document.leftovers + _leftovers(dropped, now),
        buried=document.buried | gone,
    )


def drop_live(document: Document, gone: frozenset[IndexGeneration], now: datetime) -> Document:
    """Stop keeping what was served in index generations that nobody reads any more."""
    dropped = {index: live for index, live in document.live.items() if index in gone}
    if not dropped:
        return document
    kept = {index: live for index, live in document.live.items() if index not in gone}
    return replace(document, live=kept, leftovers=document.leftovers + _leftovers(dropped, now))


def keep_content(document: Document, source: ObjectVersion) -> Document:
    """Note that the same bytes now stand in another version of the object; nothing else moves."""
    work = document.work
    if work is not None and work.source.sha256 == source.sha256:
        work = replace(work, source=source)
    live = {
        index: replace(live, source=source) if live.source.sha256 == source.sha256 else live
        for index, live in document.live.items()
    }
    return replace(document, source=source, work=work, live=live)


def return_to_served(document: Document, source: ObjectVersion, now: datetime) -> Document:
    """Take back a replacement: the object holds again what is served, so there is nothing to do."""
    return replace(
        _without_verdict(keep_content(drop_work(document, now), source)),
        status=DocumentStatus.READY,
        stage=Stage.DONE,
    )


def publish(document: Document, now: datetime, policy: IngestionPolicy) -> Document:
    """Serve the generation under way instead of the one before it, which keeps a grace for readers.

    What another index generation serves of older content is dropped, so that a later flip cannot bring it back.
    """
    work = document.work
    if work is None:
        return document
    fresh = LiveGeneration(
        work.generation, work.source, work.pages, work.chunks, work.format, work.title, work.warnings, now
    )
    replaced = {
        index: live
        for index, live in document.live.items()
        if index == work.index_generation or live.source.sha256 != work.source.sha256
    }
    live = {index: live for index, live in document.live.items() if index not in replaced}
    live[work.index_generation] = fresh
    published = replace(
        document,
        work=None,
        live=live,
        leftovers=document.leftovers + _leftovers(replaced, now + policy.read_grace),
        failure=None,
    )
    if work.purpose is Purpose.REINDEX:
        return published
    return replace(
        _without_verdict(published), status=DocumentStatus.READY, stage=Stage.DONE, timings_ms=work.timings_ms
    )


def _leftovers(live: Mapping[IndexGeneration, LiveGeneration], clear_at: datetime) -> tuple[Leftover, ...]:
    return tuple(Leftover(served.generation, index, clear_at) for index, served in live.items())


def move_to_stage(document: Document, stage: Stage, now: datetime) -> Document:
    """Enter the next stage of the work under way; users see it unless it is a re-index in the background."""
    work = document.work
    if work is None or work.stage is stage:
        return document
    spent = timedelta_ms(now - work.stage_since)
    timings = {**work.timings_ms, work.stage.value: work.timings_ms.get(work.stage.value, 0) + spent}
    moved = replace(work, stage=stage, stage_since=now, timings_ms=timings, nudges=0)
    if work.purpose is Purpose.REINDEX:
        return replace(document, work=moved)
    return replace(document, work=moved, stage=stage, timings_ms=timings)


def timedelta_ms(span: timedelta) -> int:
    """Return `span` in whole milliseconds, never negative."""
    return max(0, int(span / timedelta(milliseconds=1)))


def with_attempts(document: Document, unit: str, attempts: Attempts | None) -> Document:
    """Note the attempts of one unit; None forgets a unit that is done."""
    work = document.work
    if work is None:
        return document
    noted = {name: known for name, known in work.attempts.items() if name != unit}
    if attempts is not None:
        noted[unit] = attempts
    highest = max((document.attempt, *(known.count for known in noted.values())))
    return replace(document, work=replace(work, attempts=noted), attempt=highest)


def is_of_failed_unit(document: Document, generation: Generation, unit: str) -> bool:
    """Answer whether a message is the poison itself: only it may go on to the dead-letter queue (measure 8)."""
    return document.failure == Failure(generation, unit)


def due_of(document: Document, policy: IngestionPolicy) -> datetime | None:
    """Return when somebody has to look at the record again: work that stalls, leftovers to clear, a promise's end."""
    moments = [left.due for left in document.leftovers]
    if document.work is not None and not document.is_waiting:  # somebody else looks after the whole waiting line
        moments.append(_work_due(document.work, policy))
    elif document.url_source is not None and document.is_fetching:
        moments.append(fetch_due(document.url_source, policy))
    elif (
        document.work is None
        and document.stage is Stage.AWAITING_UPLOAD
        and document.status is DocumentStatus.PROCESSING
    ):
        moments.extend([document.upload_expires_at] if document.upload_expires_at is not None else [])
    return min(moments, default=None)


def _work_due(work: Work, policy: IngestionPolicy) -> datetime:
    held = [attempts.until for attempts in work.attempts.values() if attempts.owner is not None]
    if held:
        return min(held) + timedelta(seconds=policy.lease_margin_s)
    resting = [attempts.until for attempts in work.attempts.values()]
    # A long queue is not a lost message: what waits is sent again ever more rarely.
    patience = timedelta(seconds=policy.patience_s * 2 ** min(work.nudges, 8))
    return max([work.stage_since, *resting]) + patience
