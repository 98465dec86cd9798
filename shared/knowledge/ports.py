"""What the ingestion protocol needs from outside. The tenant comes first everywhere (invariant 4)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.documents.canonical import CanonicalText
from shared.documents.serialisation import ChunkManifest
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId, WorkspaceId
from shared.knowledge.messages import Message
from shared.knowledge.models import (
    ContentClaim,
    Document,
    KnowledgeBase,
    Line,
    ObjectVersion,
    Tally,
    TenantTally,
    Ticket,
)
from shared.tenancy.plans import Figures

Record = KnowledgeBase | Document | ContentClaim


@dataclass(frozen=True, slots=True)
class Put:
    """Write `record`, which must still be at the revision it carries (0: must not exist); it gets the next one.

    With `is_progress`, work on it moves on by itself: nobody sees another status or other content, so nobody acted.
    """

    record: Record
    is_progress: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """Write nothing, but insist that `record` still is at the revision it carries."""

    record: Record


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete `record`, which must still be at the revision it carries."""

    record: Record


@dataclass(frozen=True, slots=True)
class Count:
    """Change the counters of a knowledge base. With `limit`, refuse when there would be more documents than that.

    With `publishes_still`, insist that nothing was published since that count was read.
    """

    kb_id: KnowledgeBaseId
    documents: int = 0
    publishes: int = 0
    bytes: int = 0
    limit: int | None = None
    publishes_still: int | None = None


@dataclass(frozen=True, slots=True)
class CheckTally:
    """Change no counter, but insist that documents and bytes of a knowledge base still are what `tally` says."""

    kb_id: KnowledgeBaseId
    tally: Tally


@dataclass(frozen=True, slots=True)
class CountTenant:
    """Change the counters of the tenant. With a limit, refuse when there would be more than that."""

    knowledge_bases: int = 0
    documents: int = 0
    bytes: int = 0
    knowledge_base_limit: int | None = None
    byte_limit: int | None = None


@dataclass(frozen=True, slots=True)
class EnterWorkspace:
    """Count one knowledge base more in a workspace; refused when the workspace was closed to be deleted."""

    workspace_id: WorkspaceId


@dataclass(frozen=True, slots=True)
class LeaveWorkspace:
    """Count one knowledge base less in a workspace."""

    workspace_id: WorkspaceId


class Turn(StrEnum):
    """When a document may take one of the tenant's places."""

    NEXT = "next"
    """When a place is free: it comes from the head of the line."""
    UNLESS_OTHERS_WAIT = "unless-others-wait"
    """When a place is free and nobody waits for it: it is new."""


@dataclass(frozen=True, slots=True)
class MoveInLine:
    """Change how many documents of the tenant are processed and how many wait.

    With a `turn`, refuse when there is no place for one more. With `places`, that many there are from now on. With
    `look_at`, the line is due then, unless it is due already.
    """

    processing: int = 0
    waiting: int = 0
    turn: Turn | None = None
    places: int | None = None
    look_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Enter:
    """Put a document into the tenant's waiting line."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Leave:
    """Take a document out of the tenant's waiting line."""

    place: str


@dataclass(frozen=True, slots=True)
class WatchLine:
    """Note how many places the tenant has, and when its line is due again; None only as long as nobody waits."""

    places: int
    due: datetime | None


Write = (
    Put
    | Check
    | Remove
    | Count
    | CheckTally
    | CountTenant
    | EnterWorkspace
    | LeaveWorkspace
    | MoveInLine
    | Enter
    | Leave
    | WatchLine
)


class KnowledgeBaseRepository(Protocol):
    """Knowledge bases of a tenant; every read is strongly consistent. Deleted ones are returned as such."""

    async def knowledge_base(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> KnowledgeBase | None: ...

    async def knowledge_bases(
        self, tenant: TenantId, limit: int, after: KnowledgeBaseId | None = None
    ) -> list[KnowledgeBase]:
        """Return up to `limit` bases after `after`, in the order of their ids, which is that of their creation."""
        ...

    async def tally(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> Tally:
        """Return the counters; zeros for a base that never counted anything."""
        ...

    async def tenant_tally(self, tenant: TenantId) -> TenantTally:
        """Return what the tenant has; zeros for one that never had anything."""
        ...

    async def line(self, tenant: TenantId) -> Line:
        """Return how the tenant's line of documents stands; zeros for a tenant that never had one."""
        ...

    async def waiting(self, tenant: TenantId, limit: int) -> list[Ticket]:
        """Return the first `limit` documents in the tenant's waiting line, longest waiting first."""
        ...

    async def commit(self, tenant: TenantId, writes: Sequence[Write]) -> None:
        """Do all of `writes` (each about another record) or none; with an event for each act, 100 at most.

        Raises: StaleWriteError when a record or counter is not as it was read; else, whatever refuses first:
        DocumentLimitError for a `Count`, CapacityExhaustedError for a `CountTenant`, WorkspaceNotFoundError for an
        `EnterWorkspace`, NoPlaceError for a `MoveInLine`.
        """
        ...


class DocumentRepository(KnowledgeBaseRepository, Protocol):
    """Documents and contents of a tenant's knowledge bases; every read is strongly consistent."""

    async def document(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> Document | None: ...

    async def documents(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, limit: int, after: DocumentId | None = None
    ) -> list[Document]:
        """Return up to `limit` records after `after`, in the order of their ids, tombstones included."""
        ...

    async def claim(self, tenant: TenantId, kb_id: KnowledgeBaseId, sha256: str) -> ContentClaim | None: ...


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody has to look at this record again.

    `document_id` None means the knowledge base itself, `kb_id` None the tenant's line of documents.
    """

    tenant: TenantId
    kb_id: KnowledgeBaseId | None
    document_id: DocumentId | None


class DueRecords(Protocol):
    """Across all tenants: which records' `due` has passed. May lag; each find is checked by a consistent read."""

    def due_records(self, now: datetime, limit: int) -> AsyncIterator[Due]:
        """Yield at most `limit` finds, longest overdue first within each partition."""
        ...


class TenantFigures(Protocol):
    """What a tenant's plan allows, where no caller says so."""

    async def figures(self, tenant: TenantId) -> Figures:
        """Return the figures that hold now, at most a minute late; starter's for a tenant nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class KnownFigures:
    """Implements `TenantFigures` for the one tenant whose figures are known, such as a caller's."""

    known: Figures

    async def figures(self, _tenant: TenantId) -> Figures:
        return self.known


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A presigned POST: send `fields` and then the file, as a form, to `url` before it expires."""

    url: str
    fields: Mapping[str, str]


class ObjectStore(Protocol):
    """The uploads bucket. Every method refuses a key outside `t/<tenant>/`."""

    async def head(self, tenant: TenantId, key: str) -> ObjectVersion | None:
        """Return the current version of `key`; None when there is none, or when it is a delete marker."""
        ...

    async def read(self, tenant: TenantId, key: str, version_id: str) -> bytes | None:
        """Return the bytes of one version; None when it does not exist any more."""
        ...

    async def delete(self, tenant: TenantId, key: str) -> None:
        """Write a delete marker; nothing is destroyed."""
        ...

    async def versions(self, tenant: TenantId, key: str) -> list[str]:
        """Return the ids of all versions of `key` that have content, newest first."""
        ...

    async def purge(self, tenant: TenantId, key: str, version_ids: Sequence[str]) -> None:
        """Destroy these versions for good; one that is gone already is no error."""
        ...

    async def keys(self, tenant: TenantId, prefix: str, limit: int, after: str = "") -> list[str]:
        """Return up to `limit` keys with a current version under `prefix`, after `after`, in order."""
        ...


class UploadLinks(Protocol):
    """Links with which a browser talks to the uploads bucket itself, without our passing the bytes on."""

    async def upload_form(
        self,
        tenant: TenantId,
        key: str,
        *,
        max_bytes: int,
        expires_in_s: int,
        content_type: str | None = None,
        sha256: str | None = None,
    ) -> UploadForm:
        """Return a form that fills exactly `key` with 1 to `max_bytes` bytes, of that type and SHA-256 (hex)."""
        ...

    async def download_link(self, tenant: TenantId, key: str, version_id: str, *, name: str, expires_in_s: int) -> str:
        """Return an address that downloads one version as an attachment called `name`."""
        ...


class ArtifactStore(Protocol):
    """Canonical texts and chunk manifests, one of each per generation, written once."""

    async def put_text(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        document_id: DocumentId,
        generation: Generation,
        text: CanonicalText,
    ) -> None:
        """Keep `text` unless the generation already has one: the first writer wins, a second changes nothing."""
        ...  # fmt: skip

    async def get_text(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation
    ) -> CanonicalText | None: ...

    async def put_manifest(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        document_id: DocumentId,
        generation: Generation,
        manifest: ChunkManifest,
    ) -> None:
        """Keep `manifest` unless the generation already has a manifest: the first writer wins."""
        ...  # fmt: skip

    async def get_manifest(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation
    ) -> ChunkManifest | None: ...

    async def delete_generation(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation
    ) -> None:
        """Destroy every version of both; nothing there is no error."""
        ...

    async def delete_document(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> None:
        """Destroy every version of everything of one document, whatever its generation."""
        ...


class WorkQueue(Protocol):
    """Where messages wait for the next stage; which queue takes a message follows from its type."""

    async def send(self, messages: Sequence[Message], delay_s: int = 0) -> None:
        """Hand over all of `messages` (may be empty), to be delivered after `delay_s` (at most 900) at the earliest.

        Raises when one of them was not taken; some may have been sent by then.
        """
        ...
