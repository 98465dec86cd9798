"""What steps of documents change in the counters that limits are held against (T1, T4), as pure functions.

A counter moves in the same commit as what it counts, so it is exact however often an event comes, and whoever crashes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.knowledge.models import Document, KnowledgeBase, Ticket
from shared.knowledge.ports import Count, CountTenant, Enter, Leave, MoveInLine, Turn, Write
from shared.tenancy.plans import Figures


@dataclass(frozen=True, slots=True)
class Step:
    """A document before and after a change; `before` is None for one that nobody knew."""

    before: Document | None
    after: Document

    def change_of(self, measure: Callable[[Document], int]) -> int:
        return measure(self.after) - (0 if self.before is None else measure(self.before))

    @property
    def is_progress(self) -> bool:
        """Whether work only moves on: its outcome, its generation and what is served stay what they were."""
        return self.before is not None and _seen(self.before) == _seen(self.after)

    @property
    def begins_to_wait(self) -> bool:
        """Whether the document had no work before, and now waits for a place to be processed."""
        return self.after.is_waiting and (self.before is None or self.before.work is None)


def documents_per_base(kb: KnowledgeBase, figures: Figures | None) -> int:
    """Return how many documents `kb` may hold: what it was set to, and no more than the plan allows."""
    return kb.document_limit if figures is None else min(kb.document_limit, figures.documents_per_knowledge_base)


def counts(kb: KnowledgeBase, steps: Sequence[Step], figures: Figures | None, *, published: bool) -> list[Write]:
    """Return what moves in the counters of base and tenant. What a deleted base held was released with it."""
    if kb.deleted_at is not None:
        return []
    documents = sum(step.change_of(lambda document: int(document.occupies_place)) for step in steps)
    size = sum(step.change_of(lambda document: document.stored_bytes) for step in steps)
    writes: list[Write] = []
    if documents or size or published:
        limit = documents_per_base(kb, figures) if documents > 0 else None
        writes.append(Count(kb.kb_id, documents=documents, publishes=int(published), bytes=size, limit=limit))
    if documents or size:
        byte_limit = None if figures is None or size <= 0 else figures.storage_bytes
        writes.append(CountTenant(documents=documents, bytes=size, byte_limit=byte_limit))
    return writes


def moves_in_line(steps: Sequence[Step], figures: Figures | None, look_at: datetime) -> list[Write]:
    """Return what moves in the tenant's waiting line; it is due at `look_at` when somebody came to wait."""
    writes: list[Write] = []
    turn: Turn | None = None
    for step in steps:
        was = None if step.before is None else _ticket(step.before)
        now = _ticket(step.after)
        if was is not None and was != now:
            writes.append(Leave(was.place))
        if now is not None and now != was:
            writes.append(Enter(now))
        if step.change_of(lambda document: int(document.is_in_process)) > 0:
            turn = Turn.NEXT if was is not None else Turn.UNLESS_OTHERS_WAIT
    processing = sum(step.change_of(lambda document: int(document.is_in_process)) for step in steps)
    waiting = sum(step.change_of(lambda document: int(document.is_waiting)) for step in steps)
    if processing or waiting:
        places = None if figures is None else figures.concurrent_documents
        due = look_at if waiting > 0 else None
        writes.append(MoveInLine(processing, waiting, turn=turn, places=places, look_at=due))
    return writes


def _seen(document: Document) -> tuple[object, ...]:
    live = {index: served.generation for index, served in document.live.items()}
    return document.status, document.reason, document.accepted, live, document.tombstone, document.metadata


def _ticket(document: Document) -> Ticket | None:
    if document.work is None or document.work.ticket is None:
        return None
    return Ticket(document.work.ticket, document.kb_id, document.document_id)
