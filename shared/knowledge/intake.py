"""What happens when somebody says that an object changed: look at it, and act on what is there now (K2, invariant 3).

The fence is read before the object. The bucket answers consistently, so what it says then is at least as new as
whatever the fence knows; and the commit fails if another delivery moved the fence meanwhile. Hence late, repeated and
reordered events need no order of their own.
"""

import hashlib
import logging
from dataclasses import replace

from shared.documents.rejections import RejectionReason
from shared.kernel.clock import Clock
from shared.kernel.ids import TaskId, new_id
from shared.knowledge.claims import ContentHeldError
from shared.knowledge.errors import (
    CapacityExhaustedError,
    DocumentLimitError,
    RetryLaterError,
    StaleWriteError,
)
from shared.knowledge.keys import ObjectKey, document_id_of, parse_key
from shared.knowledge.lifecycle import (
    bury,
    keep_content,
    reject,
    return_to_served,
    skip_duplicate,
    start_upload_work,
)
from shared.knowledge.messages import LookAgain, parse_of, sweep_of
from shared.knowledge.models import (
    Document,
    DocumentStatus,
    KnowledgeBase,
    ObjectVersion,
    Purpose,
    ReasonCode,
    Stage,
)
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import DocumentRepository, ObjectStore, TenantFigures, WorkQueue
from shared.knowledge.settlement import Settlement
from shared.knowledge.waiting_line import WaitingLine
from shared.tenancy.plans import Figures

_TRIES = 30
_log = logging.getLogger("tessera.ingestion")


class Intake:
    """Takes objects in, or notes that they are gone."""

    def __init__(
        self,
        records: DocumentRepository,
        objects: ObjectStore,
        queue: WorkQueue,
        figures: TenantFigures,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._records = records
        self._objects = objects
        self._queue = queue
        self._figures = figures
        self._clock = clock
        self._policy = policy
        self._settlement = Settlement(records, clock, policy)
        self._line = WaitingLine(records, queue, clock, policy)

    async def take(self, message: LookAgain) -> None:
        """Look at each object that a message names; a notification is only sent on, under its tenant's name.

        Sending on costs next to nothing, and a queue that knows whose messages it holds serves tenants in turn.
        Raises: RetryLaterError when others kept changing the same records.
        """
        if message.is_notification:
            await self._queue.send([LookAgain(keys=(key,)) for key in message.keys if _parsed(key) is not None])
            return
        for key in message.keys:
            await self.look_again(key)

    async def look_again(self, key: str, *, again: bool = False) -> Document | None:
        """Bring the document of `key` in line with the object that is there now; doing it twice changes nothing.

        With `again`, content that was looked at before starts anew, unless it is served or under way.
        Returns the document, None when the key means nothing to us.
        Raises: RetryLaterError when others kept changing the same records.
        """
        parsed = _parsed(key)
        if parsed is None:
            return None
        for _ in range(_TRIES):
            try:
                return await self._look(parsed, again=again)
            except (StaleWriteError, ContentHeldError):
                continue
        raise RetryLaterError("The document keeps changing. It is looked at again shortly.", retry_after_s=1)

    async def _look(self, key: ObjectKey, *, again: bool) -> Document | None:
        kb = await self._records.knowledge_base(key.tenant, key.kb_id)
        if kb is None or kb.deleted_at is not None:
            # By its ids: the key ends in a name that somebody gave a file, which is content.
            ids = {"tenant": key.tenant, "kb_id": key.kb_id, "document_id": key.document_id}
            _log.warning("object of an unknown knowledge base is left alone", extra=ids)
            return None
        document = await self._records.document(key.tenant, key.kb_id, key.document_id)
        version = await self._objects.head(key.tenant, key.key)
        if version is None:
            return await self._object_gone(kb, document)
        if key.upload_id is not None and (document is None or document.is_deleted):
            return document  # never promised, or deleted: the tombstone of an upload id is final
        if document is not None and version.version_id in document.buried:
            return document
        if document is not None and not again and _is_known(document, version):
            await self._start(document)
            return document
        current = document or self._found(key)
        return await self._admit(kb, document, current, version, again=again)

    async def _object_gone(self, kb: KnowledgeBase, document: Document | None) -> Document | None:
        if document is None or document.is_deleted or document.source is None:
            return document
        settled = await self._settlement.settle(kb, document, bury(document, self._clock.now(), by_request=False))
        await self._queue.send([sweep_of(settled.document)])
        await self._line.follow(settled)
        return settled.document

    def _found(self, key: ObjectKey) -> Document:
        now = self._clock.now()
        return Document(
            tenant=key.tenant,
            kb_id=key.kb_id,
            document_id=key.document_id,
            key=key.key,
            name=key.name,
            status=DocumentStatus.PROCESSING,
            stage=Stage.ACCEPTED,
            created_at=now,
            updated_at=now,
            upload_id=key.upload_id,
        )

    async def _admit(
        self, kb: KnowledgeBase, before: Document | None, document: Document, version: ObjectVersion, *, again: bool
    ) -> Document:
        now = self._clock.now()
        if version.size_bytes > self._policy.max_file_bytes:
            detail = f"at most {self._policy.max_file_bytes // 2**20} MiB"
            return await self._reject(kb, before, document, version, RejectionReason.TOO_LARGE, detail)
        seen = await self._seen(document, version)
        if document.promised_sha256 is not None and document.promised_sha256 != seen.sha256:
            return await self._reject(kb, before, document, seen, ReasonCode.UPLOAD_MISMATCH, None)
        if _was_cancelled_before_upload(document) and not again:
            return await self._commit(kb, before, replace(document, source=seen))
        task_id = _task_of(document) or TaskId(new_id("task", now))
        document = replace(document, stage=Stage.ACCEPTED)
        unchanged = self._unchanged(kb, document, seen)
        if unchanged is not None:
            return await self._commit(kb, before, unchanged)
        claim = await self._records.claim(document.tenant, document.kb_id, str(seen.sha256))
        if claim is not None and claim.owner != document.document_id:
            skipped = replace(skip_duplicate(document, claim.owner, now), source=seen)
            return await self._commit(kb, before, skipped)
        started = start_upload_work(document, seen, kb.serving, now, task_id)
        figures = await self._figures.figures(document.tenant)
        try:
            return await self._commit(kb, before, started, figures=figures, insist_on_base=True)
        except (DocumentLimitError, CapacityExhaustedError) as error:
            is_storage = error.facts.get("what") == "storage_bytes"
            reason = ReasonCode.STORAGE_QUOTA if is_storage else ReasonCode.DOCUMENT_LIMIT
            return await self._reject(kb, before, document, seen, reason, str(error))

    async def _seen(self, document: Document, version: ObjectVersion) -> ObjectVersion:
        """Return `version` with the hash of its bytes, which are read unless this very version was read before."""
        known = document.source
        if known is not None and known.version_id == version.version_id and known.sha256 is not None:
            return known
        content = await self._objects.read(document.tenant, document.key, version.version_id)
        if content is None:
            raise StaleWriteError("The version was purged while it was looked at.")
        return replace(version, sha256=hashlib.sha256(content).hexdigest())

    def _unchanged(self, kb: KnowledgeBase, document: Document, seen: ObjectVersion) -> Document | None:
        """Return the document when `seen` holds the bytes that are served or under way already, None otherwise."""
        if document.is_deleted:
            return None
        work = document.work
        if work is not None and work.purpose is Purpose.UPLOAD:
            if work.source.sha256 == seen.sha256:
                return keep_content(document, seen)
        elif document.status is DocumentStatus.READY and document.source is not None:
            return keep_content(document, seen) if document.source.sha256 == seen.sha256 else None
        served = document.served_in(kb.serving)
        if served is not None and served.source.sha256 == seen.sha256:
            return return_to_served(document, seen, self._clock.now())
        return None

    async def _reject(
        self,
        kb: KnowledgeBase,
        before: Document | None,
        document: Document,
        version: ObjectVersion,
        reason: str,
        detail: str | None,
    ) -> Document:
        return await self._commit(
            kb, before, replace(reject(document, reason, detail, self._clock.now()), source=version)
        )

    async def _commit(
        self,
        kb: KnowledgeBase,
        before: Document | None,
        after: Document,
        *,
        figures: Figures | None = None,
        insist_on_base: bool = False,
    ) -> Document:
        settled = await self._settlement.settle(kb, before, after, figures=figures, insist_on_base=insist_on_base)
        await self._start(settled.document)
        await self._line.follow(settled)
        return settled.document

    async def _start(self, document: Document) -> None:
        """Send the message of a document whose turn it is; another one's comes from the waiting line."""
        if document.work is not None and document.work.stage is Stage.ACCEPTED:
            await self._queue.send([parse_of(document)])


def _parsed(key: str) -> ObjectKey | None:
    """Read a key; one outside the layout belongs to nobody, and nothing is sent or done because of it."""
    parsed = parse_key(key)
    if parsed is None:
        _log.warning("object outside the layout of keys is left alone", extra={"document_id": document_id_of(key)})
    return parsed


def _is_known(document: Document, version: ObjectVersion) -> bool:
    return (
        not document.is_deleted and document.source is not None and (document.source.version_id == version.version_id)
    )


def _was_cancelled_before_upload(document: Document) -> bool:
    return document.status is DocumentStatus.CANCELLED and document.awaits_file


def _task_of(document: Document) -> TaskId | None:
    """Return the task id that was promised to the caller, for the first use of a promise."""
    return document.task_id if document.awaits_file else None
