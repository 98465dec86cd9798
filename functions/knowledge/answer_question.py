"""Ask one knowledge base a question and get an answer made of quotations (K8)."""

from shared.answers.requests import AnswerRequest
from shared.answers.responses import AnswerResponse
from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import KnowledgeBaseId
from shared.operations.capabilities import ARTIFACTS, CELLS, EMBEDDER, METADATA, VECTORS
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /knowledge-bases/{kb_id}/answers",
    permission=Permission.SEARCH,
    rate_class=RateClass.ANSWER,
    uses=[METADATA.read, VECTORS.search, CELLS.read, EMBEDDER, ARTIFACTS.get],
    memory_mb=1024,
    timeout_s=10,
)
async def answer_question(
    kb_id: KnowledgeBaseId, request: AnswerRequest, caller: Caller, services: Services
) -> AnswerResponse:
    """Answer a question with exact quotations from a knowledge base, or say that it holds no evidence.

    Each citation names document, version, page and span; the quote is what stands there, to the letter. Only what is
    live now is quoted. When a part is out of service the rest answers, and `degraded` says so.

    Raises: KnowledgeBaseNotFoundError, also when the base belongs to another tenant; InvalidQueryError,
    InvalidFilterError, InvalidFieldError, IndexUnavailableError.
    """
    answer = await services.answers.answer(caller.tenant, kb_id, request.to_query())
    return AnswerResponse.from_answer(answer)
