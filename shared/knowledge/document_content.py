"""What a document holds, for people to check: its original, and its canonical text around a span (K8, invariant 5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from shared.documents.windows import TextWindow, window_around
from shared.kernel.clock import Clock
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId
from shared.knowledge.catalogue import existing_document
from shared.knowledge.errors import ContentGoneError
from shared.knowledge.models import Document, LiveGeneration
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import ArtifactStore, DocumentRepository, UploadLinks

MAX_SPAN: Final = 100_000
MAX_CONTEXT: Final = 10_000
"""In code points: a whole answer stays far below what a function may return."""


class SpanTooLongError(TesseraError):
    """The span is longer than one answer may be."""

    code: ClassVar[str] = "span-too-long"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Download:
    """An address that gives the original of `generation` until `expires_at`."""

    name: str
    generation: Generation
    size_bytes: int
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TextOfDocument:
    """A window of the canonical text of `generation`."""

    generation: Generation
    window: TextWindow


@dataclass(frozen=True, slots=True)
class _Served:
    document: Document
    live: LiveGeneration


@dataclass(frozen=True, slots=True)
class Originals:
    """Originals of documents that are served."""

    documents: DocumentRepository
    links: UploadLinks
    clock: Clock
    policy: IngestionPolicy

    async def download(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> Download:
        """Return a link to the version that is live: what answers quote, not what was uploaded last.

        Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError, ContentGoneError when no version is live.
        """
        served = await _served(self.documents, tenant, kb_id, document_id)
        expires_in_s = self.policy.download_lifetime_s
        expires_at = self.clock.now() + timedelta(seconds=expires_in_s)
        source = served.live.source
        url = await self.links.download_link(
            tenant, served.document.key, source.version_id, name=served.document.name, expires_in_s=expires_in_s
        )
        return Download(served.document.name, served.live.generation, source.size_bytes, url, expires_at)


@dataclass(frozen=True, slots=True)
class Texts:
    """Canonical texts of documents that are served."""

    documents: DocumentRepository
    artifacts: ArtifactStore

    async def around(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        document_id: DocumentId,
        *,
        start: int,
        end: int | None,
        context: int,
        generation: Generation | None = None,
    ) -> TextOfDocument:
        """Return the span `[start, end)` of the live text with `context` code points around it.

        Without `end` the span is as long as a window may be, or ends with the text. With `generation`, insist on the
        one that a citation names: only what is live is ever shown.
        Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError, SpanOutsideTextError, SpanTooLongError,
        ContentGoneError.
        """
        if end is not None and end - start > MAX_SPAN:
            raise SpanTooLongError(f"Ask for at most {MAX_SPAN} characters at once.", limit=MAX_SPAN)
        served = await _served(self.documents, tenant, kb_id, document_id)
        if generation is not None and generation != served.live.generation:
            raise ContentGoneError(
                "This version of the document was replaced. Ask again to get a citation of the present one.",
                live_generation=served.live.generation,
            )
        text = await self.artifacts.get_text(tenant, kb_id, document_id, served.live.generation)
        if text is None:
            # Replaced or deleted between the two reads: a missing artifact means "not live" (invariant 2).
            raise ContentGoneError("The document was replaced or deleted just now. Ask again.")
        span_end = min(start + MAX_SPAN, len(text.text)) if end is None else end
        return TextOfDocument(served.live.generation, window_around(text, start, span_end, context))


async def _served(
    documents: DocumentRepository, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId
) -> _Served:
    base, document = await existing_document(documents, tenant, kb_id, document_id)
    live = document.served_in(base.serving)
    if live is None:
        raise ContentGoneError("No version of this document is live. Look at its status.", status=document.status.value)
    return _Served(document, live)
