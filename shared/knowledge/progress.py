"""How long a document will still take: an estimate that gets better as batches finish (K2)."""

import math
from datetime import datetime
from typing import Final

from shared.knowledge.models import Document, DocumentStatus, Stage

# What an ordinary file takes on the smallest functions that we deploy; replaced by measurement once there is any.
_PARSE_BASE_S: Final = 2.0
_PARSE_BYTES_PER_S: Final = 1_000_000
_TEXT_BYTES_PER_CHUNK: Final = 1_500
_CHUNKS_PER_S: Final = 40
_PUBLISH_S: Final = 2.0


def remaining_s(document: Document, now: datetime) -> int | None:
    """Return the seconds until the document under way is probably `ready`; None when nothing is under way.

    Waiting for an upload, or for a place to be processed, has no estimate either. Work that rests between two attempts
    counts from its next attempt.
    """
    work = document.work
    if document.status is not DocumentStatus.PROCESSING or work is None or document.is_waiting:
        return None
    spent = max(0.0, (now - work.stage_since).total_seconds())
    if work.stage is Stage.PUBLISHING:
        left = _PUBLISH_S - spent
    elif work.stage is Stage.INDEXING:
        left = _indexing_s(work.chunks, work.batches, len(work.batches_done), spent) + _PUBLISH_S
    else:
        size = work.source.size_bytes
        parsing = 0.0 if work.text_of is not None else _PARSE_BASE_S + size / _PARSE_BYTES_PER_S
        chunks = work.chunks or max(1, size // _TEXT_BYTES_PER_CHUNK)
        left = max(0.0, parsing - spent) + _indexing_s(chunks, 0, 0, 0) + _PUBLISH_S
    rest = max((attempts.until for attempts in work.attempts.values() if attempts.owner is None), default=now)
    return max(1, math.ceil(left + max(0.0, (rest - now).total_seconds())))


def _indexing_s(chunks: int, batches: int, batches_done: int, spent: float) -> float:
    if batches_done:
        return spent / batches_done * (batches - batches_done)
    return max(0.0, chunks / _CHUNKS_PER_S - spent)
