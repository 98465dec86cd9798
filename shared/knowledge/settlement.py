"""One change of one document, with all that must change with it, as one commit (invariant 3).

The difference between the record before and after decides what else moves: places in the knowledge base, claims on
contents, and whoever waits for a content that becomes free.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.kernel.clock import Clock
from shared.kernel.ids import DocumentId, TaskId, new_id
from shared.knowledge.lifecycle import due_of, start_upload_work
from shared.knowledge.models import ContentClaim, Document, DocumentStatus, KnowledgeBase
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import Check, Count, DocumentRepository, Put, Remove, Write


@dataclass(frozen=True, slots=True)
class Settled:
    """What was committed: the document as it is now, and the documents whose wait it ended."""

    document: Document
    promoted: tuple[Document, ...] = ()


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
        insist_on_base: bool = False,
        published: bool = False,
    ) -> Settled:
        """Replace `before` by `after`; with `insist_on_base`, only while `kb` is as it was read.

        Raises: StaleWriteError when anything moved since it was read; ContentHeldError; DocumentLimitError.
        """
        held_before = before.held_hashes if before is not None else frozenset()
        gained = await self._gain(after, after.held_hashes - held_before)
        waited = await self._wait(before, after)
        released, promoted = await self._release(kb, after, held_before - after.held_hashes)
        places = sum(document.occupies_place for document in (after, *promoted)) - bool(
            before is not None and before.occupies_place
        )
        places -= sum(bool(document.live) for document in promoted)
        counted: list[Write] = []
        if places or published:
            limit = kb.document_limit if places > 0 else None
            counted.append(Count(kb.kb_id, documents=places, publishes=int(published), limit=limit))
        stamped = self._stamp(after)
        stamped_promoted = tuple(self._stamp(document) for document in promoted)
        checks: list[Write] = [Check(kb)] if insist_on_base or promoted else []
        await self._records.commit(
            after.tenant,
            [
                Put(stamped),
                *(Put(document) for document in stamped_promoted),
                *gained,
                *waited,
                *released,
                *counted,
                *checks,
            ],
        )
        return Settled(_at_next(stamped), tuple(_at_next(document) for document in stamped_promoted))

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
    ) -> tuple[list[Write], tuple[Document, ...]]:
        """Hand each content on to whoever has waited longest for it, or forget it."""
        writes: list[Write] = []
        promoted: list[Document] = []
        for sha256 in sorted(hashes):
            claim = await self._records.claim(after.tenant, after.kb_id, sha256)
            if claim is None or claim.owner != after.document_id:
                continue
            heir, waiters = await self._heir(kb, claim, after.document_id)
            if heir is None:
                writes.append(Remove(claim))
                continue
            writes.append(Put(replace(claim, owner=heir.document_id, waiters=waiters)))
            promoted.append(heir)
        return writes, tuple(promoted)

    async def _heir(
        self, kb: KnowledgeBase, claim: ContentClaim, giver: DocumentId
    ) -> tuple[Document | None, tuple[DocumentId, ...]]:
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
            return heir, tuple(other for other in claim.waiters[position + 1 :] if other != giver)
        return None, ()


def _at_next(document: Document) -> Document:
    return replace(document, revision=document.revision + 1)
