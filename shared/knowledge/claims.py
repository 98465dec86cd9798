"""Who holds a content in a knowledge base, and who gets it next: no two documents take in the same bytes (K2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.kernel.clock import Clock
from shared.kernel.ids import DocumentId, TaskId, new_id
from shared.knowledge.counting import Step
from shared.knowledge.lifecycle import reject, start_upload_work
from shared.knowledge.models import ContentClaim, Document, DocumentStatus, KnowledgeBase
from shared.knowledge.ports import Check, DocumentRepository, Put, Remove, Write

_MOST_AT_ONCE: Final = 20
"""A document gives up two contents at most, and a commit takes 100 writes: of each document, record and event."""


class ContentHeldError(Exception):
    """Another document holds the content that this one wanted to take; never leaves the domain."""

    def __init__(self, owner: DocumentId) -> None:
        super().__init__(owner)
        self.owner = owner


@dataclass(frozen=True, slots=True)
class Handed:
    """What becomes of contents that a document gives up: the claims on them, and the duplicates that waited."""

    claims: list[Write]
    duplicates: list[Step]


class Claims:
    """Finds out what has to be written about claims when a document takes or gives up contents."""

    def __init__(self, records: DocumentRepository, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def gain(self, after: Document, hashes: frozenset[str]) -> list[Write]:
        """Take contents that nobody holds. Raises: ContentHeldError."""
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

    async def wait(self, before: Document | None, after: Document) -> Sequence[Write]:
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

    async def hand_on(self, kb: KnowledgeBase, after: Document, hashes: frozenset[str]) -> Handed:
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
        return Handed(writes, heirs)

    async def _heir(
        self, kb: KnowledgeBase, claim: ContentClaim, giver: DocumentId
    ) -> tuple[Step | None, tuple[DocumentId, ...]]:
        """Return the oldest waiter that still waits for this content, as it starts on it, and who waits on."""
        if kb.deleted_at is not None:
            return None, ()
        for position, waiting in enumerate(claim.waiters):
            if waiting == giver:
                continue
            document = await self._waiter(claim, waiting)
            if document is None or document.source is None:
                continue
            now = self._clock.now()
            heir = start_upload_work(document, document.source, kb.serving, now, TaskId(new_id("task", now)))
            return Step(document, heir), tuple(other for other in claim.waiters[position + 1 :] if other != giver)
        return None, ()

    async def end_waiting(self, after: Document, hashes: frozenset[str], reason: str, detail: str) -> Handed:
        """Forget each content, and reject those who waited for it: there is no room for any of them.

        Who is one too many for a single commit goes on waiting for nobody, until it is retried.
        """
        writes: list[Write] = []
        refused: list[Step] = []
        for sha256 in sorted(hashes):
            claim = await self._records.claim(after.tenant, after.kb_id, sha256)
            if claim is None or claim.owner != after.document_id:
                continue
            writes.append(Remove(claim))
            for waiting in claim.waiters[:_MOST_AT_ONCE]:
                document = None if waiting == after.document_id else await self._waiter(claim, waiting)
                if document is not None:
                    refused.append(Step(document, reject(document, reason, detail, self._clock.now())))
        return Handed(writes, refused)

    async def _waiter(self, claim: ContentClaim, waiting: DocumentId) -> Document | None:
        """Return a document that was entered as waiting, if it still waits for this content."""
        document = await self._records.document(claim.tenant, claim.kb_id, waiting)
        if document is None or document.status is not DocumentStatus.SKIPPED_DUPLICATE or document.source is None:
            return None
        return document if document.source.sha256 == claim.sha256 else None
