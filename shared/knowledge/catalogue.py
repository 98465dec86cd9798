"""What a tenant has: knowledge bases and documents, one by one and page by page (K1, K2).

The reading side. Everything is read by base-table keys, strongly consistent: what a request has deleted, no later
request lists (invariant 2). Another tenant's records look exactly like missing ones.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.kernel.clock import Clock
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.kernel.pages import Page, PageToken, collect_page
from shared.knowledge.descriptions import DocumentDescription, KnowledgeBaseDescription
from shared.knowledge.errors import DocumentNotFoundError, KnowledgeBaseNotFoundError
from shared.knowledge.models import Document, DocumentStatus, KnowledgeBase, Line, TenantTally
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import DocumentRepository, KnowledgeBaseRepository

_LINE_COUNTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents to list. Deleted ones are listed only when asked for by status."""

    status: DocumentStatus | None = None
    name_prefix: str | None = None

    def fits(self, document: Document) -> bool:
        if self.status is None and document.is_deleted:
            return False
        return (self.status is None or document.status is self.status) and document.name.startswith(
            self.name_prefix or ""
        )


async def existing_base(bases: KnowledgeBaseRepository, tenant: TenantId, kb_id: KnowledgeBaseId) -> KnowledgeBase:
    """Return a knowledge base that is there. Raises: KnowledgeBaseNotFoundError."""
    base = await bases.knowledge_base(tenant, kb_id)
    if base is None or base.deleted_at is not None:
        raise missing_base()
    return base


def missing_base() -> KnowledgeBaseNotFoundError:
    """Return the one refusal for a base that is not there, was deleted, or is out of the caller's reach."""
    return KnowledgeBaseNotFoundError("No such knowledge base. List the knowledge bases to see what there is.")


async def existing_document(
    documents: DocumentRepository, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId
) -> tuple[KnowledgeBase, Document]:
    """Return a document that is there, and its base. Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError."""
    base, document = await asyncio.gather(
        existing_base(documents, tenant, kb_id), documents.document(tenant, kb_id, document_id)
    )
    if document is None or document.is_deleted:
        raise DocumentNotFoundError("No such document. List the documents to see what there is.")
    return base, document


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Describes what is recorded."""

    documents: DocumentRepository
    clock: Clock
    policy: IngestionPolicy

    async def describe_base(self, base: KnowledgeBase) -> KnowledgeBaseDescription:
        return KnowledgeBaseDescription.of(base, await self.documents.tally(base.tenant, base.kb_id))

    async def describe_documents(self, base: KnowledgeBase, documents: Sequence[Document]) -> list[DocumentDescription]:
        """Describe documents of one base, in their order; how many wait before each is read once for all of them."""
        now = self.clock.now()
        line: list[str] = []
        if any(_is_queued(document) for document in documents):
            line = [ticket.place for ticket in await self.documents.waiting(base.tenant, _LINE_COUNTED)]
        return [
            DocumentDescription.of(document, base, now, self.policy, _ahead(document, line)) for document in documents
        ]

    async def knowledge_base(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> KnowledgeBaseDescription:
        """Describe one knowledge base. Raises: KnowledgeBaseNotFoundError."""
        return await self.describe_base(await existing_base(self.documents, tenant, kb_id))

    async def knowledge_bases(
        self,
        tenant: TenantId,
        wanted: Callable[[KnowledgeBase], bool],
        limit: int,
        token: PageToken | None,
        *of_filter: str | None,
    ) -> Page[KnowledgeBaseDescription]:
        """List the knowledge bases that are `wanted`, which `of_filter` describes, in the order of their creation.

        Raises: InvalidPageTokenError.
        """
        of_list = (tenant, "knowledge-bases", *of_filter)
        page = await collect_page(
            lambda count, after: self.documents.knowledge_bases(
                tenant, count, None if after is None else KnowledgeBaseId(after)
            ),
            lambda base: base.kb_id,
            lambda base: base.deleted_at is None and wanted(base),
            limit,
            token,
            of_list,
        )
        return Page(list(await asyncio.gather(*map(self.describe_base, page.items))), page.next_page_token)

    async def holdings(self, tenant: TenantId) -> tuple[TenantTally, Line]:
        """Return what the tenant has, and how its line of documents stands."""
        return await asyncio.gather(self.documents.tenant_tally(tenant), self.documents.line(tenant))

    async def document(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> DocumentDescription:
        """Describe one document. Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError."""
        base, document = await existing_document(self.documents, tenant, kb_id, document_id)
        (described,) = await self.describe_documents(base, [document])
        return described

    async def documents_of(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, wanted: DocumentFilter, limit: int, token: PageToken | None
    ) -> Page[DocumentDescription]:
        """List documents that fit `wanted`, in a stable order.

        Raises: KnowledgeBaseNotFoundError, InvalidPageTokenError.
        """
        base = await existing_base(self.documents, tenant, kb_id)
        of_list = (tenant, "documents", kb_id, wanted.status, wanted.name_prefix)
        page = await collect_page(
            lambda count, after: self.documents.documents(
                tenant, kb_id, count, None if after is None else DocumentId(after)
            ),
            lambda document: document.document_id,
            wanted.fits,
            limit,
            token,
            of_list,
        )
        return Page(await self.describe_documents(base, page.items), page.next_page_token)


def _is_queued(document: Document) -> bool:
    return document.is_waiting and document.status is DocumentStatus.PROCESSING


def _ahead(document: Document, line: Sequence[str]) -> int | None:
    """Return how many places of `line` come before the document's; None when it does not wait."""
    if document.work is None or document.work.ticket is None or not _is_queued(document):
        return None
    return bisect_left(line, document.work.ticket)
