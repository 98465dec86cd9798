"""Read the canonical text of a document around a span (K8)."""

from typing import Annotated

from pydantic import BaseModel, Field

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId
from shared.knowledge.document_content import MAX_CONTEXT
from shared.operations.capabilities import ARTIFACTS, METADATA
from shared.operations.declaration import RateClass, operation


class DocumentText(BaseModel):
    """`quote` is the text from `start` to `end`, counted in Unicode code points; `length` is that of the whole text."""

    generation: Generation
    start: int
    end: int
    before: str
    quote: str
    after: str
    first_page: int | None
    last_page: int | None
    length: int


@operation(
    "GET /knowledge-bases/{kb_id}/documents/{document_id}/text",
    permission=Permission.DOCUMENT_READ,
    rate_class=RateClass.READ,
    uses=[METADATA.read, ARTIFACTS.get],
)
async def get_document_text(
    kb_id: KnowledgeBaseId,
    document_id: DocumentId,
    caller: Caller,
    services: Services,
    start: Annotated[int, Field(ge=0)] = 0,
    end: Annotated[int | None, Field(ge=0)] = None,
    context: Annotated[int, Field(ge=0, le=MAX_CONTEXT)] = 0,
    generation: Annotated[int | None, Field(ge=1)] = None,
) -> DocumentText:
    """Read a span of the served text and `context` characters on either side, to check a citation against its source.

    Without `end`, as much as one answer may hold. With `generation`, only if that one is still served.

    Raises: KnowledgeBaseNotFoundError, DocumentNotFoundError, SpanOutsideTextError, SpanTooLongError, ContentGoneError.
    """
    found = await services.texts.around(
        caller.tenant, kb_id, document_id, start=start, end=end, context=context, generation=generation
    )
    window = found.window
    return DocumentText(
        generation=found.generation,
        start=window.start,
        end=window.end,
        before=window.before,
        quote=window.quote,
        after=window.after,
        first_page=window.first_page,
        last_page=window.last_page,
        length=window.length,
    )
