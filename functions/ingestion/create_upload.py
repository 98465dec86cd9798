"""Promise a document and say where to send its file (K2)."""

from datetime import datetime

from pydantic import BaseModel

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import DocumentId, IdempotencyKey, KnowledgeBaseId, TaskId, UploadId
from shared.knowledge.documents import UploadRequest
from shared.knowledge.models import DocumentStatus
from shared.knowledge.requests import CreateUploadRequest
from shared.operations.capabilities import METADATA, UPLOADS
from shared.operations.declaration import RateClass, operation


class CreatedUpload(BaseModel):
    """A document that awaits its file: send `fields`, then the file as field `file`, as a form (POST) to `url`."""

    document_id: DocumentId
    task_id: TaskId | None
    status: DocumentStatus
    url: str
    fields: dict[str, str]
    expires_at: datetime


@operation(
    "POST /knowledge-bases/{kb_id}/uploads",
    permission=Permission.DOCUMENT_WRITE,
    rate_class=RateClass.WRITE,
    status=201,
    uses=[METADATA.read, METADATA.write, UPLOADS.put],
)
async def create_upload(
    kb_id: KnowledgeBaseId,
    request: CreateUploadRequest,
    caller: Caller,
    services: Services,
    idempotency_key: IdempotencyKey | None = None,
) -> CreatedUpload:
    """Create a document that awaits its file, and a form that sends it. The form takes that one file and expires.

    With `size_bytes`, that much of your storage is reserved until the file is there, and the form takes no more.
    Repeated with the same Idempotency-Key, it answers with the same document and a fresh form.

    Raises: KnowledgeBaseNotFoundError, DuplicateDocumentError, DocumentLimitError, DocumentTooLargeError,
    CapacityExhaustedError, InvalidMetadataError, InvalidFieldError, IdempotencyKeyReusedError, RetryLaterError.
    """
    asked_for = request.model_dump_json()
    upload_id = await services.repeated_requests.choose_id(caller, "upload", idempotency_key, kb_id, asked_for)
    promise = await services.documents.create_upload(
        caller.tenant,
        kb_id,
        UploadRequest(
            name=request.name,
            content_type=request.content_type,
            size_bytes=request.size_bytes,
            sha256=request.sha256,
            metadata=request.metadata,
        ),
        caller.figures,
        UploadId(upload_id),
    )
    document = promise.document
    return CreatedUpload(
        document_id=document.document_id,
        task_id=document.task_id,
        status=document.status,
        url=promise.form.url,
        fields=dict(promise.form.fields),
        expires_at=promise.expires_at,
    )
