"""Promise a document whose file stands on the web, and have it fetched (K2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import IdempotencyKey, KnowledgeBaseId, UploadId
from shared.knowledge.descriptions import DocumentDescription
from shared.knowledge.requests import AddUrlSourceRequest
from shared.knowledge.url_sources import UrlRequest
from shared.operations.capabilities import FETCH_POLICY, FETCH_QUEUE, METADATA
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /knowledge-bases/{kb_id}/url-sources",
    permission=Permission.DOCUMENT_WRITE,
    rate_class=RateClass.WRITE,
    status=202,
    uses=[METADATA.read, METADATA.write, FETCH_QUEUE.send, FETCH_POLICY],
)
async def add_url_source(
    kb_id: KnowledgeBaseId,
    request: AddUrlSourceRequest,
    caller: Caller,
    services: Services,
    idempotency_key: IdempotencyKey | None = None,
) -> DocumentDescription:
    """Create a document from a web address: its file is fetched once, and then processed like an upload.

    Only https addresses of the public internet are fetched, as the site's robots.txt allows. Without a `name`, the
    document is called like the last part of the address. Repeated with the same Idempotency-Key, it answers with the
    same document.

    Raises: UrlForbiddenError, KnowledgeBaseNotFoundError, DocumentNotFoundError, DocumentLimitError,
    CapacityExhaustedError, InvalidMetadataError, InvalidFieldError, IdempotencyKeyReusedError, RetryLaterError.
    """
    asked_for = request.model_dump_json()
    upload_id = await services.repeated_requests.choose_id(caller, "upload", idempotency_key, kb_id, asked_for)
    document = await services.web.url_sources.add(
        caller.tenant,
        kb_id,
        UrlRequest(request.url, request.file_name, request.metadata),
        caller.figures,
        UploadId(upload_id),
    )
    return await services.catalogue.document(caller.tenant, kb_id, document.document_id)
