"""Knowledge bases, documents and what is known about each: the records of the ingestion protocol (K1, K2, K12).

Every record carries the `revision` it was read at; a commit succeeds only while all of its records still have theirs,
so each transition below is one conditional write.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.documents.canonical import DocumentWarning
from shared.kernel.ids import (
    DocumentId,
    Generation,
    IndexGeneration,
    KnowledgeBaseId,
    TaskId,
    TenantId,
    UploadId,
    WorkspaceId,
)
from shared.knowledge.config import KnowledgeBaseConfig
from shared.retrieval.fields import MetadataValue
from shared.tenancy.models import default_workspace_of


class DocumentStatus(StrEnum):
    """What became of the latest attempt to take in a document; `Document.live` says what is served meanwhile."""

    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    SKIPPED_DUPLICATE = "skipped_duplicate"
    DELETED = "deleted"
    EXPIRED = "expired"


class Stage(StrEnum):
    """Where the latest attempt is, or where it ended."""

    AWAITING_UPLOAD = "awaiting_upload"
    FETCHING = "fetching"
    QUEUED = "queued"
    ACCEPTED = "accepted"
    PARSING = "parsing"
    INDEXING = "indexing"
    PUBLISHING = "publishing"
    DONE = "done"


class ReasonCode(StrEnum):
    """Why an attempt ended without `ready`, beside the parser's own rejection reasons. Part of the API."""

    TOO_LARGE = "too_large"
    DOCUMENT_LIMIT = "document_limit_reached"
    STORAGE_QUOTA = "storage_quota_exhausted"
    UPLOAD_MISMATCH = "upload_mismatch"
    FETCHING_FAILED = "fetching_failed"
    PARSING_FAILED = "parsing_failed"
    INDEXING_FAILED = "indexing_failed"
    PUBLISHING_FAILED = "publishing_failed"
    INTERRUPTED = "processing_interrupted"
    CANCELLED = "cancelled_by_request"
    DUPLICATE = "duplicate_content"
    UPLOAD_EXPIRED = "upload_expired"


class Purpose(StrEnum):
    """Why a generation is built: for new content, or for another way to index the same content."""

    UPLOAD = "upload"
    REINDEX = "reindex"


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an uploaded object, as the bucket states it. `sha256` (hex) is known once it was read."""

    version_id: str
    etag: str
    size_bytes: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Attempts:
    """Counted attempts of one unit of work, and who may not start another one before `until`.

    `owner` holds the lease; None means that the unit rests after a failure.
    """

    count: int
    until: datetime
    owner: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Which unit of which generation used up its attempts; its message alone goes to the dead-letter queue."""

    generation: Generation
    unit: str


@dataclass(frozen=True, slots=True)
class Work:
    """A generation being built. A unit is `parse`, `index-<batch>` or `publish`; `batches_done` is a set, no count.

    `nudges` counts how often its messages were sent again. `text_of` names the generation whose canonical text is to
    be taken over (re-index), None to parse the source. `ticket` is its place in the tenant's waiting
    line, None from when it is processed.
    """

    generation: Generation
    index_generation: IndexGeneration
    purpose: Purpose
    source: ObjectVersion
    stage: Stage
    stage_since: datetime
    text_of: Generation | None = None
    ticket: str | None = None
    attempts: Mapping[str, Attempts] = field(default_factory=dict)
    pages: int = 0
    chunks: int = 0
    batches: int = 0
    batches_done: frozenset[int] = frozenset()
    format: str | None = None
    title: str | None = None
    warnings: tuple[DocumentWarning, ...] = ()
    timings_ms: Mapping[str, int] = field(default_factory=dict)
    nudges: int = 0


@dataclass(frozen=True, slots=True)
class UrlSource:
    """The web address that a document's file is fetched from, and the newest generation of fetching it.

    Fetching is a generation like any other, but one that only puts a file; the work on the file is the next one.
    `since` is when its message was sent last, `nudges` how often it was sent again.
    """

    url: str
    generation: Generation
    since: datetime
    attempts: Attempts | None = None
    nudges: int = 0


@dataclass(frozen=True, slots=True)
class LiveGeneration:
    """A generation that was read back and is served."""

    generation: Generation
    source: ObjectVersion
    pages: int
    chunks: int
    format: str | None
    title: str | None
    warnings: tuple[DocumentWarning, ...]
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Leftover:
    """A generation nobody may read any more, to be cleared at `due`, and once more when `is_last` (invariant 2)."""

    generation: Generation
    index_generation: IndexGeneration
    due: datetime
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Tombstone:
    """It is gone. Without `by_request` the object was removed in the bucket, and putting it back brings it back."""

    at: datetime
    by_request: bool


@dataclass(frozen=True, slots=True)
class Document:
    """One object key: its fence, what is served of it, and what is being built.

    `accepted` is the newest generation ever started and only rises. `live` maps an index generation to what readers
    of that index generation are served; it is empty as long as nothing was ever ready, and from a tombstone on.
    `buried` are versions that a request deleted: seeing one again revives nothing, and the sweep destroys them.
    `due` is when somebody has to look at the record again, None when nothing is open.
    """

    tenant: TenantId
    kb_id: KnowledgeBaseId
    document_id: DocumentId
    key: str
    name: str
    status: DocumentStatus
    stage: Stage
    created_at: datetime
    updated_at: datetime
    revision: int = 0
    task_id: TaskId | None = None
    upload_id: UploadId | None = None
    upload_expires_at: datetime | None = None
    promised_sha256: str | None = None
    promised_bytes: int | None = None
    content_type: str | None = None
    url_source: UrlSource | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    source: ObjectVersion | None = None
    accepted: Generation = 0
    work: Work | None = None
    live: Mapping[IndexGeneration, LiveGeneration] = field(default_factory=dict)
    reason: str | None = None
    reason_detail: str | None = None
    duplicate_of: DocumentId | None = None
    failure: Failure | None = None
    attempt: int = 0
    timings_ms: Mapping[str, int] = field(default_factory=dict)
    leftovers: tuple[Leftover, ...] = ()
    tombstone: Tombstone | None = None
    buried: frozenset[str] = frozenset()
    reindex_failed: IndexGeneration | None = None
    due: datetime | None = None

    @property
    def is_deleted(self) -> bool:
        return self.tombstone is not None

    @property
    def awaits_file(self) -> bool:
        """Whether the latest attempt is, or ended, before its file arrived."""
        return self.stage in {Stage.AWAITING_UPLOAD, Stage.FETCHING}

    @property
    def is_fetching(self) -> bool:
        """Whether its file is to be fetched from a web address."""
        return self.stage is Stage.FETCHING and self.status is DocumentStatus.PROCESSING

    @property
    def occupies_place(self) -> bool:
        """Whether the document counts against its knowledge base's limit: it is served, or on its way."""
        return not self.is_deleted and (bool(self.live) or self.status is DocumentStatus.PROCESSING)

    @property
    def is_waiting(self) -> bool:
        """Whether it stands in the tenant's line of documents that wait to be processed."""
        return self.work is not None and self.work.ticket is not None

    @property
    def is_in_process(self) -> bool:
        """Whether it occupies one of the tenant's places for documents that are processed at once."""
        return self.work is not None and self.work.ticket is None

    @property
    def stored_bytes(self) -> int:
        """What counts against the tenant's storage: each content that is served or on its way, once.

        Before its file arrives that is the size that was promised, 0 where none was. A file that was refused, failed or
        waits as a duplicate does not count.
        """
        if self.is_deleted:
            return 0
        if self.source is None:
            return (self.promised_bytes or 0) if self.status is DocumentStatus.PROCESSING else 0
        sources = [live.source for live in self.live.values()]
        if self.work is not None:
            sources.append(self.work.source)
        return sum({source.sha256 or source.version_id: source.size_bytes for source in sources}.values())

    @property
    def held_hashes(self) -> frozenset[str]:
        """The contents (SHA-256) that this document alone may hold in its knowledge base: served, or on their way."""
        if self.is_deleted:
            return frozenset()
        sources = [live.source for live in self.live.values()]
        if self.work is not None:
            sources.append(self.work.source)
        return frozenset(source.sha256 for source in sources if source.sha256 is not None)

    def served_in(self, index_generation: IndexGeneration) -> LiveGeneration | None:
        """Return what readers of `index_generation` are served, None for nothing."""
        return None if self.is_deleted else self.live.get(index_generation)


class KnowledgeBaseStatus(StrEnum):
    ACTIVE = "active"
    REINDEXING = "reindexing"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Retired:
    """An index generation nobody reads any more, to be cleared at `due`."""

    index_generation: IndexGeneration
    due: datetime
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """A tenant's collection of documents. `serving` is the index generation that searches read.

    While `target` is set, documents are being indexed a second time under `target_config`; when all are, readers flip.
    `scan` counts the scans that drive this. Without a `workspace_id` it belongs to the tenant's default workspace.
    """

    tenant: TenantId
    kb_id: KnowledgeBaseId
    name: str
    config: KnowledgeBaseConfig
    created_at: datetime
    updated_at: datetime
    description: str = ""
    revision: int = 0
    serving: IndexGeneration = 1
    newest: IndexGeneration = 1
    target: IndexGeneration | None = None
    target_config: KnowledgeBaseConfig | None = None
    scan: int = 0
    document_limit: int = 1000
    workspace_id: WorkspaceId | None = None
    shared_with_viewers: bool = True
    retired: tuple[Retired, ...] = ()
    deleted_at: datetime | None = None
    due: datetime | None = None

    @property
    def workspace(self) -> WorkspaceId:
        return self.workspace_id or default_workspace_of(self.tenant)

    @property
    def status(self) -> KnowledgeBaseStatus:
        if self.deleted_at is not None:
            return KnowledgeBaseStatus.DELETED
        return KnowledgeBaseStatus.ACTIVE if self.target is None else KnowledgeBaseStatus.REINDEXING

    def config_of(self, index_generation: IndexGeneration) -> KnowledgeBaseConfig | None:
        """Return how `index_generation` chunks and embeds; None when the base has moved on from it."""
        if index_generation == self.serving:
            return self.config
        return self.target_config if index_generation == self.target else None


@dataclass(frozen=True, slots=True)
class Tally:
    """Counters of one knowledge base: documents and bytes that count against limits, and publishes ever made."""

    documents: int = 0
    publishes: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class TenantTally:
    """What a tenant has: knowledge bases, and the documents and bytes in them. Deleted ones count no more."""

    knowledge_bases: int = 0
    documents: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """How many documents of a tenant are processed now, how many wait, and how many may be processed at once.

    `places` is what the tenant's plan allowed when it was last asked; 0 until then.
    """

    processing: int = 0
    waiting: int = 0
    places: int = 0


@dataclass(frozen=True, slots=True)
class Ticket:
    """A document's place in its tenant's waiting line: the string order of `place` is the order of waiting."""

    place: str
    kb_id: KnowledgeBaseId
    document_id: DocumentId


@dataclass(frozen=True, slots=True)
class ContentClaim:
    """Who holds one content (SHA-256) in a knowledge base, and who waits for it, oldest first."""

    tenant: TenantId
    kb_id: KnowledgeBaseId
    sha256: str
    owner: DocumentId
    waiters: tuple[DocumentId, ...] = ()
    revision: int = 0
