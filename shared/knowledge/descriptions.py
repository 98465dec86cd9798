"""Knowledge bases and documents as the API describes them (K1, K2)."""

from datetime import datetime
from enum import StrEnum

from shared.documents.canonical import DocumentWarning
from shared.kernel.bodies import Description
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TaskId, WorkspaceId
from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.models import (
    Document,
    DocumentStatus,
    KnowledgeBase,
    KnowledgeBaseStatus,
    LiveGeneration,
    Stage,
    Tally,
)
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.progress import remaining_s
from shared.retrieval.fields import MetadataValue


class KnowledgeBaseDescription(Description):
    """A knowledge base. While `reindexing`, searches still use `config`, and `upcoming_config` takes over at once."""

    id: KnowledgeBaseId
    name: str
    description: str
    status: KnowledgeBaseStatus
    reindexing: bool
    config: KnowledgeBaseConfig
    upcoming_config: KnowledgeBaseConfig | None
    workspace_id: WorkspaceId
    shared_with_viewers: bool
    document_limit: int
    document_count: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, base: KnowledgeBase, tally: Tally) -> "KnowledgeBaseDescription":
        return cls(
            id=base.kb_id,
            name=base.name,
            description=base.description,
            status=base.status,
            reindexing=base.target is not None,
            config=base.config,
            upcoming_config=base.target_config,
            workspace_id=base.workspace,
            shared_with_viewers=base.shared_with_viewers,
            document_limit=base.document_limit,
            document_count=tally.documents,
            created_at=base.created_at,
            updated_at=base.updated_at,
        )


class LiveDescription(Description):
    """What is served of a document now; citations name its `generation`."""

    generation: Generation
    version_id: str
    size_bytes: int
    format: str | None
    title: str | None
    pages: int
    chunks: int
    warnings: tuple[DocumentWarning, ...]
    published_at: datetime

    @classmethod
    def of(cls, live: LiveGeneration) -> "LiveDescription":
        return cls(
            generation=live.generation,
            version_id=live.source.version_id,
            size_bytes=live.source.size_bytes,
            format=live.format,
            title=live.title,
            pages=live.pages,
            chunks=live.chunks,
            warnings=live.warnings,
            published_at=live.published_at,
        )


class ReindexState(StrEnum):
    """How far a document is while its knowledge base is being re-indexed; a failed one keeps the rest waiting."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Counts(Description):
    """How far the latest attempt got: pages read, chunks made; batches of chunks in the index, until it is ready."""

    pages: int
    chunks: int
    batches: int | None = None
    batches_done: int | None = None


class DocumentDescription(Description):
    """A document: `status`, `stage`, `attempt` and `reason` speak of the latest upload, `live` of what is served.

    The two differ while a replacement is under way, and after one that was rejected, failed or cancelled. While it is
    `queued`, `documents_ahead` says how many of the tenant's documents wait before it, of which 1,000 are counted.
    """

    id: DocumentId
    knowledge_base_id: KnowledgeBaseId
    name: str
    content_type: str | None
    source_url: str | None
    size_bytes: int | None
    status: DocumentStatus
    stage: Stage
    attempt: int
    max_attempts: int
    reason: str | None
    reason_detail: str | None
    duplicate_of: DocumentId | None
    task_id: TaskId | None
    counts: Counts | None
    timings_ms: dict[str, int]
    documents_ahead: int | None
    eta_s: int | None
    live: LiveDescription | None
    reindex: ReindexState | None
    metadata: dict[str, MetadataValue]
    created_at: datetime
    updated_at: datetime
    upload_expires_at: datetime | None

    @classmethod
    def of(
        cls,
        document: Document,
        base: KnowledgeBase,
        now: datetime,
        policy: IngestionPolicy,
        documents_ahead: int | None = None,
    ) -> "DocumentDescription":
        live = document.served_in(base.serving)
        waits = document.stage is Stage.AWAITING_UPLOAD and document.status is DocumentStatus.PROCESSING
        return cls(
            id=document.document_id,
            knowledge_base_id=document.kb_id,
            name=document.name,
            content_type=document.content_type,
            source_url=None if document.url_source is None else document.url_source.url,
            size_bytes=None if document.source is None else document.source.size_bytes,
            status=document.status,
            stage=document.stage,
            attempt=document.attempt,
            max_attempts=policy.attempts,
            reason=document.reason,
            reason_detail=document.reason_detail,
            duplicate_of=document.duplicate_of,
            task_id=document.task_id,
            counts=_counts(document, live),
            timings_ms=dict(document.timings_ms),
            documents_ahead=documents_ahead,
            eta_s=remaining_s(document, now),
            live=None if live is None else LiveDescription.of(live),
            reindex=_reindex_state(document, base),
            metadata=dict(document.metadata),
            created_at=document.created_at,
            updated_at=document.updated_at,
            upload_expires_at=document.upload_expires_at if waits else None,
        )


def _reindex_state(document: Document, base: KnowledgeBase) -> ReindexState | None:
    if base.target is None or not document.live:
        return None
    if base.target in document.live:
        return ReindexState.DONE
    if document.reindex_failed == base.target:
        return ReindexState.FAILED
    is_running = document.work is not None and document.is_in_process and document.work.index_generation == base.target
    return ReindexState.RUNNING if is_running else ReindexState.WAITING


def _counts(document: Document, live: LiveGeneration | None) -> Counts | None:
    work = document.work
    if work is not None and document.status is DocumentStatus.PROCESSING:
        return Counts(pages=work.pages, chunks=work.chunks, batches=work.batches, batches_done=len(work.batches_done))
    if live is not None and document.status is DocumentStatus.READY:
        return Counts(pages=live.pages, chunks=live.chunks)
    return None
