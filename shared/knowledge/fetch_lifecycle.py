"""What a document goes through while its file is fetched from a web address, as pure functions (K2, invariant 3).

Fetching ends with a file under the document's key; from then on it is an upload like any other.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.knowledge.models import (
    Attempts,
    Document,
    DocumentStatus,
    Failure,
    ReasonCode,
    Stage,
    UrlSource,
)
from shared.knowledge.policy import IngestionPolicy

FETCH: Final = "fetch"
"""The unit of a fetching generation; it has no other."""


def start_fetch(document: Document, url: str, now: datetime) -> Document:
    """Take a new generation that fetches the document's file from `url`, with attempts of its own."""
    generation = document.accepted + 1
    return replace(
        document,
        status=DocumentStatus.PROCESSING,
        stage=Stage.FETCHING,
        accepted=generation,
        url_source=UrlSource(url, generation, now),
        attempt=1,
        reason=None,
        reason_detail=None,
        failure=None,
    )


def with_fetch_attempts(document: Document, attempts: Attempts) -> Document:
    """Note the attempts of fetching: who holds the lease, or until when it rests."""
    if document.url_source is None:
        return document
    noted = replace(document.url_source, attempts=attempts)
    return replace(document, url_source=noted, attempt=max(document.attempt, attempts.count))


def fail_fetch(document: Document, reason: str, detail: str | None) -> Document:
    """Give up on fetching after its last attempt; its message alone goes to the dead-letter queue."""
    return replace(
        document,
        status=DocumentStatus.FAILED,
        reason=reason,
        reason_detail=detail,
        failure=Failure(document.accepted, FETCH),
    )


def nudge_fetch(document: Document, now: datetime, policy: IngestionPolicy, *, is_there: bool) -> Document:
    """Return the document as its message is sent again; failed when its last attempt was killed without a file."""
    source = document.url_source
    if source is None:
        return document
    known = source.attempts
    if known is not None and known.owner is not None and known.until <= now:
        if known.count >= policy.attempts and not is_there:
            return fail_fetch(document, ReasonCode.INTERRUPTED, None)
        known = replace(known, owner=None)
    return replace(document, url_source=replace(source, attempts=known, since=now, nudges=source.nudges + 1))


def fetch_due(source: UrlSource, policy: IngestionPolicy) -> datetime:
    """Return when a message of fetching counts as lost, or its process as killed."""
    known = source.attempts
    if known is not None and known.owner is not None:
        return known.until + timedelta(seconds=policy.lease_margin_s)
    patience = timedelta(seconds=policy.patience_s * 2 ** min(source.nudges, 8))
    return max(source.since, source.since if known is None else known.until) + patience
