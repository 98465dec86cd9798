"""What a user may do with documents: promise an upload, delete, cancel, retry (K1, K2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.kernel.clock import Clock
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TaskId, TenantId, UploadId, new_id
from shared.knowledge.errors import (
    ContentGoneError,
    DocumentNotFoundError,
    DocumentTooLargeError,
    DuplicateDocumentError,
    KnowledgeBaseNotFoundError,
    NothingToCancelError,
    NothingToRetryError,
    RetryLaterError,
    StaleWriteError,
)
from shared.knowledge.fetch_lifecycle import start_fetch
from shared.knowledge.intake import Intake
from shared.knowledge.lifecycle import bury, cancel, forget_versions
from shared.knowledge.messages import AdvanceReindex, fetch_of, sweep_of
from shared.knowledge.models import Document, DocumentStatus, KnowledgeBase
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import DocumentRepository, KnownFigures, ObjectStore, UploadForm, UploadLinks, WorkQueue
from shared.knowledge.promises import promised_document
from shared.knowledge.settlement import Settlement
from shared.knowledge.waiting_line import WaitingLine
from shared.retrieval.fields import MetadataValue
from shared.tenancy.plans import Figures

_TRIES = 30


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What a caller says about a file before sending it. With `sha256` (hex), a duplicate is refused at once."""

    name: str
    content_type: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Promise:
    """A document that awaits its file, and the form that sends it until `expires_at`."""

    document: Document
    form: UploadForm
    expires_at: datetime


class Documents:
    """Documents of one deployment, as its users handle them."""

    def __init__(
        self,
        records: DocumentRepository,
        objects: ObjectStore,
        links: UploadLinks,
        queue: WorkQueue,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._records = records
        self._objects = objects
        self._links = links
        self._queue = queue
        self._clock = clock
        self._policy = policy
        self._settlement = Settlement(records, clock, policy)
        self._line = WaitingLine(records, queue, clock, policy)

    async def create_upload(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        request: UploadRequest,
        figures: Figures,
        upload_id: UploadId | None = None,
    ) -> Promise:
        """Promise a document and return the form that fills it; its status is `processing` from now on.

        A size that the request names is reserved in the tenant's storage, and the form takes no more than that.
        Under an `upload_id` that was promised before, return that document as it is now, with a fresh form.
        Raises: KnowledgeBaseNotFoundError, DocumentTooLargeError, InvalidMetadataError, DuplicateDocumentError,
        DocumentLimitError, CapacityExhaustedError; DocumentNotFoundError when the document promised before was deleted.
        """
        if request.size_bytes is not None and request.size_bytes > self._policy.max_file_bytes:
            raise DocumentTooLargeError(
                f"The file has {request.size_bytes} bytes, the limit is {self._policy.max_file_bytes}. Split it.",
                size_bytes=request.size_bytes,
                limit_bytes=self._policy.max_file_bytes,
            )
        chosen = upload_id or UploadId(new_id("upload", self._clock.now()))
        for _ in range(_TRIES):
            kb = await self._base(tenant, kb_id)
            document = self._promised(kb, request, chosen)
            known = await self._records.document(tenant, kb_id, document.document_id)
            if known is not None:
                return await self._promise(known, request)
            if request.sha256 is not None:
                await self._refuse_duplicate(tenant, kb_id, request.sha256)
            try:
                settled = await self._settlement.settle(kb, None, document, figures=figures, insist_on_base=True)
            except StaleWriteError:
                continue
            return await self._promise(settled.document, request)
        raise RetryLaterError("The knowledge base keeps changing. Create the upload again.", retry_after_s=1)

    def _promised(self, kb: KnowledgeBase, request: UploadRequest, upload_id: UploadId) -> Document:
        now = self._clock.now()
        return replace(
            promised_document(kb, upload_id, request.name, request.metadata, now),
            upload_expires_at=now + self._policy.upload_promise,
            promised_sha256=request.sha256,
            promised_bytes=request.size_bytes,
            content_type=request.content_type,
        )

    async def _promise(self, document: Document, request: UploadRequest) -> Promise:
        if document.is_deleted:
            raise _not_found()
        lifetime_s = self._policy.upload_lifetime_s
        expires_at = self._clock.now() + timedelta(seconds=lifetime_s)
        form = await self._links.upload_form(
            document.tenant,
            document.key,
            max_bytes=document.promised_bytes or self._policy.max_file_bytes,
            expires_in_s=lifetime_s,
            content_type=request.content_type,
            sha256=request.sha256,
        )
        return Promise(document, form, expires_at)

    async def delete(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> None:
        """Delete a document: requests that begin after this returns are served nothing of it (invariant 2).

        The delete marker goes first: if the tombstone then fails, the marker's own event sets it. A newer upload that
        overtakes the marker is a new life and stays.
        Raises: DocumentNotFoundError.
        """
        kb = await self._base(tenant, kb_id)
        document = await self._records.document(tenant, kb_id, document_id)
        if document is None or (document.tombstone is not None and document.tombstone.by_request):
            raise _not_found()
        gone = frozenset(await self._objects.versions(tenant, document.key))
        await self._objects.delete(tenant, document.key)
        for _ in range(_TRIES):
            try:
                await self._set_tombstone(kb, document, gone)
            except StaleWriteError:
                document = await self._records.document(tenant, kb_id, document_id)
                kb = await self._base(tenant, kb_id)
                if document is None:
                    raise _not_found() from None
                continue
            return
        raise RetryLaterError("The document keeps changing. Delete it again.", retry_after_s=1)

    async def _set_tombstone(self, kb: KnowledgeBase, document: Document, gone: frozenset[str]) -> None:
        now = self._clock.now()
        left = forget_versions(document, gone, now)
        # The tombstone of an upload id is final; a plain drop that overtook the marker is a new life.
        overtaken = (
            document.upload_id is None and document.source is not None and document.source.version_id not in gone
        )
        is_new_life = overtaken and not document.is_deleted and (left.work is not None or bool(left.live))
        after = left if is_new_life else bury(left, now, by_request=True)
        settled = await self._settlement.settle(kb, document, after)
        await self._queue.send([sweep_of(settled.document)])
        await self._line.follow(settled)

    async def cancel(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> Document:
        """Stop what is under way; a version that is live stays live. Returns the document as it is then.

        Raises: DocumentNotFoundError, NothingToCancelError.
        """
        for _ in range(_TRIES):
            kb = await self._base(tenant, kb_id)
            document = await self._find(tenant, kb_id, document_id)
            if document.status is not DocumentStatus.PROCESSING:
                raise NothingToCancelError(f"The document is {document.status.value}; nothing is under way.")
            try:
                settled = await self._settlement.settle(kb, document, cancel(document, self._clock.now()))
            except StaleWriteError:
                continue
            await self._queue.send([sweep_of(settled.document)])
            await self._line.follow(settled)
            return settled.document
        raise RetryLaterError("The document keeps changing. Cancel it again.", retry_after_s=1)

    async def retry(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, figures: Figures
    ) -> Document:
        """Start the newest upload anew, as a new generation. Returns the document as it is then.

        What came from a web address is fetched again only if it never arrived; else the file that arrived is meant.
        Raises: DocumentNotFoundError, NothingToRetryError, ContentGoneError; for what is fetched again also
        DocumentLimitError, CapacityExhaustedError.
        """
        kb = await self._base(tenant, kb_id)
        document = await self._find(tenant, kb_id, document_id)
        if document.reindex_failed is not None and document.reindex_failed == kb.target:
            return await self._retry_reindex(kb, document)
        if document.status in {DocumentStatus.READY, DocumentStatus.PROCESSING}:
            raise NothingToRetryError(f"The document is {document.status.value}; there is nothing to retry.")
        if document.source is None:
            return await self._fetch_again(kb, document, figures)
        intake = Intake(self._records, self._objects, self._queue, KnownFigures(figures), self._clock, self._policy)
        again = await intake.look_again(document.key, again=True)
        if again is None or again.is_deleted:
            raise ContentGoneError("The file is not in the bucket any more. Upload it again.")
        return again

    async def _fetch_again(self, kb: KnowledgeBase, document: Document, figures: Figures) -> Document:
        if document.url_source is None:
            raise NothingToRetryError("No file ever arrived for this document. Create a new upload.")
        now = self._clock.now()
        again = start_fetch(replace(document, task_id=TaskId(new_id("task", now))), document.url_source.url, now)
        try:
            settled = await self._settlement.settle(kb, document, again, figures=figures, insist_on_base=True)
        except StaleWriteError:
            raise RetryLaterError("The document changed meanwhile. Retry it again.", retry_after_s=1) from None
        await self._queue.send([fetch_of(settled.document)])
        return settled.document

    async def _retry_reindex(self, kb: KnowledgeBase, document: Document) -> Document:
        try:
            settled = await self._settlement.settle(kb, document, replace(document, reindex_failed=None))
        except StaleWriteError:
            raise RetryLaterError("The document changed meanwhile. Retry it again.", retry_after_s=1) from None
        if kb.target is not None:
            await self._queue.send([AdvanceReindex(tenant=kb.tenant, kb_id=kb.kb_id, target=kb.target)])
        return settled.document

    async def _base(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> KnowledgeBase:
        kb = await self._records.knowledge_base(tenant, kb_id)
        if kb is None or kb.deleted_at is not None:
            raise KnowledgeBaseNotFoundError("No such knowledge base. List the knowledge bases to see what there is.")
        return kb

    async def _find(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> Document:
        document = await self._records.document(tenant, kb_id, document_id)
        if document is None or document.is_deleted:
            raise _not_found()
        return document

    async def _refuse_duplicate(self, tenant: TenantId, kb_id: KnowledgeBaseId, sha256: str) -> None:
        claim = await self._records.claim(tenant, kb_id, sha256)
        if claim is not None:
            raise DuplicateDocumentError(
                "This knowledge base holds the same content already. Use the document named here, or delete it first.",
                document_id=claim.owner,
            )


def _not_found() -> DocumentNotFoundError:
    return DocumentNotFoundError("No such document. List the documents to see what there is.")
