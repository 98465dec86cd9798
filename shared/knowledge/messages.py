"""Messages between the stages of ingestion. The tenant leads; a message names work, it never carries content."""

from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from shared.kernel.ids import DocumentId, Generation, IndexGeneration, KnowledgeBaseId, TenantId
from shared.knowledge.keys import parse_key
from shared.knowledge.models import Document


class Message(BaseModel):
    """What every message of ours has. Strangers' fields are refused: a typo must not look like a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LookAgain(Message):
    """Somebody should look at these object keys: the bucket says so (its events are read into this), or we do.

    The bucket cannot tell a queue whose message it sends; `is_notification` is what says that nobody did yet.
    """

    keys: tuple[str, ...]
    is_notification: bool = False

    @property
    def tenant(self) -> TenantId | None:
        """The tenant of all the keys, None when there is no such one: a notification may speak of several."""
        tenants = {parsed.tenant for key in self.keys if (parsed := parse_key(key)) is not None}
        return next(iter(tenants)) if len(tenants) == 1 and not self.is_notification else None

    @model_validator(mode="before")
    @classmethod
    def _read_bucket_event(cls, value: Any) -> Any:
        """Read an S3 notification: keys arrive URL-encoded; the test event of a new notification names none."""
        if not isinstance(value, dict):
            return value
        if value.get("Event") == "s3:TestEvent":
            return {"keys": ()}
        if isinstance(value.get("Records"), list):
            keys = [unquote_plus(record["s3"]["object"]["key"]) for record in value["Records"]]
            return {"keys": tuple(dict.fromkeys(keys)), "is_notification": True}
        return value


class FetchUrlSource(Message):
    tenant: TenantId
    kb_id: KnowledgeBaseId
    document_id: DocumentId
    generation: Generation


class ParseDocument(Message):
    tenant: TenantId
    kb_id: KnowledgeBaseId
    document_id: DocumentId
    generation: Generation


class IndexChunks(Message):
    tenant: TenantId
    kb_id: KnowledgeBaseId
    document_id: DocumentId
    generation: Generation
    batch: int = Field(ge=0)


class PublishDocument(Message):
    tenant: TenantId
    kb_id: KnowledgeBaseId
    document_id: DocumentId
    generation: Generation


class SweepDocument(Message):
    """Clear what nobody may read any more of one document."""

    kind: Literal["document"] = "document"
    tenant: TenantId
    kb_id: KnowledgeBaseId
    document_id: DocumentId


class SweepKnowledgeBase(Message):
    """Clear retired index generations of a knowledge base, or all of a deleted one; continues `after` a document."""

    kind: Literal["knowledge-base"] = "knowledge-base"
    tenant: TenantId
    kb_id: KnowledgeBaseId
    after: DocumentId | None = None


class Sweep(RootModel[Annotated[SweepDocument | SweepKnowledgeBase, Field(discriminator="kind")]]):
    """Either kind of sweep: both wait in one queue."""


class AdvanceReindex(Message):
    """Start or check the second indexing of a knowledge base; one scan carries its findings from page to page."""

    tenant: TenantId
    kb_id: KnowledgeBaseId
    target: IndexGeneration
    scan: int | None = None
    after: DocumentId | None = None
    publishes: int | None = None
    lacking: int = 0
    in_flight: int = 0


def fetch_of(document: Document) -> FetchUrlSource:
    """Return the message that fetches the file of a document from its web address."""
    return FetchUrlSource(
        tenant=document.tenant,
        kb_id=document.kb_id,
        document_id=document.document_id,
        generation=document.accepted,
    )


def parse_of(document: Document) -> ParseDocument:
    """Return the message that starts the generation under way."""
    return ParseDocument(
        tenant=document.tenant,
        kb_id=document.kb_id,
        document_id=document.document_id,
        generation=document.accepted,
    )


def sweep_of(document: Document) -> SweepDocument:
    """Return the message that clears what is left over of a document."""
    return SweepDocument(tenant=document.tenant, kb_id=document.kb_id, document_id=document.document_id)
