"""Documents that come from the web: promised like an upload, and fetched by us (K2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.kernel.clock import Clock
from shared.kernel.ids import KnowledgeBaseId, TenantId, UploadId
from shared.knowledge.errors import (
    DocumentNotFoundError,
    KnowledgeBaseNotFoundError,
    RetryLaterError,
    StaleWriteError,
)
from shared.knowledge.fetch_lifecycle import start_fetch
from shared.knowledge.messages import fetch_of
from shared.knowledge.models import Document
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import DocumentRepository, WorkQueue
from shared.knowledge.promises import promised_document
from shared.knowledge.settlement import Settlement
from shared.knowledge.web_pages import UrlPolicy
from shared.retrieval.fields import MetadataValue
from shared.tenancy.plans import Figures

_TRIES: Final = 30


@dataclass(frozen=True, slots=True)
class UrlRequest:
    """What a caller says about a file on the web; `name` is what its document will be called."""

    url: str
    name: str
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)


class UrlSources:
    """Takes in web addresses."""

    def __init__(
        self,
        records: DocumentRepository,
        queue: WorkQueue,
        urls: UrlPolicy,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._records = records
        self._queue = queue
        self._urls = urls
        self._clock = clock
        self._settlement = Settlement(records, clock, policy)

    async def add(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        request: UrlRequest,
        figures: Figures,
        upload_id: UploadId,
    ) -> Document:
        """Promise a document whose file will be fetched; its status is `processing` from now on.

        Under an `upload_id` that was promised before, return that document as it is now; its message, which may have
        been lost, is sent again.
        Raises: UrlForbiddenError, KnowledgeBaseNotFoundError, InvalidMetadataError, DocumentLimitError,
        CapacityExhaustedError; DocumentNotFoundError when the document promised before was deleted.
        """
        url = self._urls.admit(request.url)
        for _ in range(_TRIES):
            kb = await self._records.knowledge_base(tenant, kb_id)
            if kb is None or kb.deleted_at is not None:
                raise KnowledgeBaseNotFoundError(
                    "No such knowledge base. List the knowledge bases to see what there is."
                )
            now = self._clock.now()
            promised = promised_document(kb, upload_id, request.name, request.metadata, now)
            known = await self._records.document(tenant, kb_id, promised.document_id)
            if known is not None:
                return await self._sent(known)
            document = start_fetch(promised, url, now)
            try:
                settled = await self._settlement.settle(kb, None, document, figures=figures, insist_on_base=True)
            except StaleWriteError:
                continue
            return await self._sent(settled.document)
        raise RetryLaterError("The knowledge base keeps changing. Add the address again.", retry_after_s=1)

    async def _sent(self, document: Document) -> Document:
        if document.is_deleted:
            raise DocumentNotFoundError("No such document. List the documents to see what there is.")
        if document.is_fetching:
            await self._queue.send([fetch_of(document)])
        return document
