"""What a user may do with documents: promise an upload, look, list, delete, cancel, retry (K1, K2)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shared.documents.canonical import CanonicalText
from shared.kernel.clock import Clock
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TaskId, TenantId, UploadId, new_id
from shared.knowledge.errors import (
    ContentGoneError,
    DocumentNotFoundError,
    DocumentTooLargeError,
    DuplicateDocumentError,
    InvalidPageTokenError,
    KnowledgeBaseNotFoundError,
    NothingToCancelError,
    NothingToRetryError,
    RetryLaterError,
    StaleWriteError,
)
from shared.knowledge.intake import Intake, parse_of, sweep_of
from shared.knowledge.keys import upload_key
from shared.knowledge.lifecycle import bury, cancel, forget_versions
from shared.knowledge.messages import AdvanceReindex
from shared.knowledge.metadata import check_metadata
from shared.knowledge.models import Document, DocumentStatus, KnowledgeBase, Purpose, Stage
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import ArtifactStore, DocumentRepository, ObjectStore, UploadForm, UploadLinks, WorkQueue
from shared.knowledge.settlement import Settlement
from shared.retrieval.ports import MetadataValue

MAX_PAGE = 100
_SCAN_PAGE = 100
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
    """A document that awaits its file, and the form that sends it."""

    document: Document
    form: UploadForm


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents a list shows; without `statuses` all but deleted and expired ones."""

    statuses: frozenset[DocumentStatus] = frozenset()
    name_contains: str = ""

    def admits(self, document: Document) -> bool:
        hidden = {DocumentStatus.DELETED, DocumentStatus.EXPIRED}
        if document.status in hidden if not self.statuses else document.status not in self.statuses:
            return False
        return self.name_contains.casefold() in document.name.casefold()


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Documents in the order of their ids; `next_token` is None on the last page."""

    documents: tuple[Document, ...]
    next_token: str | None


class Documents:
    """Documents of one deployment, as its users handle them."""

    def __init__(
        self,
        records: DocumentRepository,
        objects: ObjectStore,
        links: UploadLinks,
        artifacts: ArtifactStore,
        queue: WorkQueue,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._records = records
        self._objects = objects
        self._links = links
        self._artifacts = artifacts
        self._queue = queue
        self._clock = clock
        self._policy = policy
        self._settlement = Settlement(records, clock, policy)
        self._intake = Intake(records, objects, queue, clock, policy)

    async def create_upload(self, tenant: TenantId, kb_id: KnowledgeBaseId, request: UploadRequest) -> Promise:
        """Promise a document and return the form that fills it; its status is `processing` from now on.

        Raises: KnowledgeBaseNotFoundError, DocumentTooLargeError, InvalidMetadataError, DuplicateDocumentError,
        DocumentLimitError.
        """
        kb = await self._base(tenant, kb_id)
        if request.size_bytes is not None and request.size_bytes > self._policy.max_file_bytes:
            raise DocumentTooLargeError(
                f"The file has {request.size_bytes} bytes, the limit is {self._policy.max_file_bytes}. Split it.",
                size_bytes=request.size_bytes,
                limit_bytes=self._policy.max_file_bytes,
            )
        metadata = check_metadata(kb.config, request.metadata)
        if request.sha256 is not None:
            await self._refuse_duplicate(tenant, kb_id, request.sha256)
        now = self._clock.now()
        upload_id = UploadId(new_id("upload", now))
        key = upload_key(tenant, kb_id, upload_id, request.name)
        lifetime_s = self._policy.upload_lifetime_s
        promised = Document(
            tenant=tenant,
            kb_id=kb_id,
            document_id=key.document_id,
            key=key.key,
            name=key.name,
            status=DocumentStatus.PROCESSING,
            stage=Stage.AWAITING_UPLOAD,
            created_at=now,
            updated_at=now,
            task_id=TaskId(new_id("task", now)),
            upload_id=upload_id,
            upload_expires_at=now + self._policy.upload_promise,
            promised_sha256=request.sha256,
            content_type=request.content_type,
            metadata=metadata,
        )
        settled = await self._settlement.settle(kb, None, promised, insist_on_base=True)
        form = await self._links.upload_form(
            tenant,
            key.key,
            max_bytes=self._policy.max_file_bytes,
            expires_in_s=lifetime_s,
            content_type=request.content_type,
            sha256=request.sha256,
        )
        return Promise(settled.document, form)

    async def get(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> Document:
        """Return a document. Raises: DocumentNotFoundError, also for a deleted one or a missing base."""
        await self._base(tenant, kb_id)
        document = await self._records.document(tenant, kb_id, document_id)
        if document is None or document.is_deleted:
            raise _not_found(document_id)
        return document

    async def list(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        *,
        limit: int = 50,
        token: str | None = None,
        only: DocumentFilter | None = None,
    ) -> DocumentPage:
        """Return up to `limit` (1–100) documents that `only` admits. Raises: InvalidPageTokenError."""
        await self._base(tenant, kb_id)
        wanted = only or DocumentFilter()
        limit = min(limit, MAX_PAGE)
        after = None if token is None else _read_token(token)
        found: list[Document] = []
        while True:
            page = await self._records.documents(tenant, kb_id, _SCAN_PAGE, after)
            for document in page:
                if not wanted.admits(document):
                    continue
                if len(found) == limit:
                    return DocumentPage(tuple(found), _write_token(found[-1].document_id))
                found.append(document)
            if len(page) < _SCAN_PAGE:
                return DocumentPage(tuple(found), None)
            after = page[-1].document_id

    async def text(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> CanonicalText:
        """Return the canonical text that is served now, so that anyone can check a citation.

        Raises: DocumentNotFoundError; ContentGoneError while nothing of the document is served.
        """
        kb = await self._base(tenant, kb_id)
        served = (await self.get(tenant, kb_id, document_id)).served_in(kb.serving)
        text = None
        if served is not None:
            text = await self._artifacts.get_text(tenant, kb_id, document_id, served.generation)
        if text is None:
            raise ContentGoneError("The document has no text yet. Wait until its status is ready.")
        return text

    async def download_link(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> str:
        """Return a short-lived address of the original file: of what is served, or else of the newest upload.

        Raises: DocumentNotFoundError; ContentGoneError when no file arrived yet.
        """
        kb = await self._base(tenant, kb_id)
        document = await self.get(tenant, kb_id, document_id)
        served = document.served_in(kb.serving)
        source = served.source if served is not None else document.source
        if source is None:
            raise ContentGoneError("The file has not arrived yet. Send it to the address that the upload was given.")
        return await self._links.download_link(
            tenant,
            document.key,
            source.version_id,
            name=document.name,
            expires_in_s=self._policy.download_lifetime_s,
        )

    async def delete(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> None:
        """Delete a document: requests that begin after this returns are served nothing of it (invariant 2).

        The delete marker goes first: if the tombstone then fails, the marker's own event sets it. A newer upload that
        overtakes the marker is a new life and stays.
        Raises: DocumentNotFoundError.
        """
        kb = await self._base(tenant, kb_id)
        document = await self._records.document(tenant, kb_id, document_id)
        if document is None or (document.tombstone is not None and document.tombstone.by_request):
            raise _not_found(document_id)
        gone = frozenset(await self._objects.versions(tenant, document.key))
        await self._objects.delete(tenant, document.key)
        for _ in range(_TRIES):
            try:
                await self._set_tombstone(kb, document, gone)
            except StaleWriteError:
                document = await self._records.document(tenant, kb_id, document_id)
                kb = await self._base(tenant, kb_id)
                if document is None:
                    raise _not_found(document_id) from None
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
        await self._queue.send([sweep_of(settled.document), *map(parse_of, settled.promoted)])

    async def cancel(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> Document:
        """Stop what is under way; a version that is live stays live. Returns the document as it is then.

        Raises: DocumentNotFoundError, NothingToCancelError.
        """
        for _ in range(_TRIES):
            kb = await self._base(tenant, kb_id)
            document = await self.get(tenant, kb_id, document_id)
            if document.status is not DocumentStatus.PROCESSING:
                raise NothingToCancelError(f"The document is {document.status.value}; nothing is under way.")
            try:
                settled = await self._settlement.settle(kb, document, cancel(document, self._clock.now()))
            except StaleWriteError:
                continue
            await self._queue.send([sweep_of(settled.document), *map(parse_of, settled.promoted)])
            return settled.document
        raise RetryLaterError("The document keeps changing. Cancel it again.", retry_after_s=1)

    async def retry(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> Document:
        """Start the newest upload anew, as a new generation. Returns the document as it is then.

        Raises: DocumentNotFoundError, NothingToRetryError, ContentGoneError.
        """
        kb = await self._base(tenant, kb_id)
        document = await self.get(tenant, kb_id, document_id)
        if document.reindex_failed is not None and document.reindex_failed == kb.target:
            return await self._retry_reindex(kb, document)
        if document.status in {DocumentStatus.READY, DocumentStatus.PROCESSING}:
            raise NothingToRetryError(f"The document is {document.status.value}; there is nothing to retry.")
        if document.source is None:
            raise NothingToRetryError("No file ever arrived for this document. Create a new upload.")
        again = await self._intake.look_again(document.key, again=True)
        if again is None or again.is_deleted:
            raise ContentGoneError("The file is not in the bucket any more. Upload it again.")
        return again

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

    async def _refuse_duplicate(self, tenant: TenantId, kb_id: KnowledgeBaseId, sha256: str) -> None:
        claim = await self._records.claim(tenant, kb_id, sha256)
        if claim is not None:
            raise DuplicateDocumentError(
                "This knowledge base holds the same content already. Use the document named here, or delete it first.",
                document_id=claim.owner,
            )


def is_reindexing(document: Document) -> bool:
    """Answer whether the document is being indexed a second time in the background."""
    return document.work is not None and document.work.purpose is Purpose.REINDEX


def _not_found(document_id: DocumentId) -> DocumentNotFoundError:
    return DocumentNotFoundError("No such document. List the documents to see what there is.", document_id=document_id)


def _write_token(document_id: DocumentId) -> str:
    return base64.urlsafe_b64encode(document_id.encode()).decode().rstrip("=")


def _read_token(token: str) -> DocumentId:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        text = ""
    if not text.startswith("doc_"):
        raise InvalidPageTokenError("The page token is not one of ours. Start again without it.")
    return DocumentId(text)
