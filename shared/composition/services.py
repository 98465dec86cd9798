"""The domain services of one function, each built when first asked for, on the adapters that it was granted."""

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING

from shared.composition.adapters import Adapters
from shared.composition.audit import Audit
from shared.composition.authentication import Authentication
from shared.composition.cells import Cells
from shared.composition.identity import Identity
from shared.composition.ingestion import Ingestion
from shared.composition.limits import Limits
from shared.composition.oidc import Oidc
from shared.composition.readiness import check
from shared.composition.relational import Relational
from shared.composition.settings import Settings
from shared.composition.tenancy import Tenancy
from shared.composition.web import Web
from shared.kernel.clock import Clock, SystemClock
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.operations.capabilities import UPLOADS, Queue
from shared.operations.declaration import Operation
from shared.operations.grants import Grants
from shared.telemetry.ports import Telemetry
from shared.telemetry.silent import SilentTelemetry

if TYPE_CHECKING:
    from shared.answers.service import AnswerService
    from shared.audit.trail import AccessTrail
    from shared.documents.previews import Previews
    from shared.kernel.repeated_requests import RepeatedRequests
    from shared.knowledge.catalogue import Catalogue
    from shared.knowledge.document_content import Originals, Texts
    from shared.knowledge.documents import Documents
    from shared.knowledge.knowledge_bases import KnowledgeBases
    from shared.knowledge.policy import IngestionPolicy
    from shared.knowledge.reach import KnowledgeBaseReach
    from shared.limits.limiter import Limiter
    from shared.retrieval.search import SearchService


class Services:
    """The domain services of one function."""

    def __init__(
        self, grants: Grants, settings: Settings, telemetry: Telemetry | None = None, clock: Clock | None = None
    ) -> None:
        self._grants = grants
        self._settings = settings.told_to(grants.capabilities)
        self._telemetry = telemetry or SilentTelemetry()
        self._clock = clock or SystemClock()
        self._adapters = Adapters(grants, self._settings, self._clock, self._telemetry)

    @cached_property
    def authentication(self) -> Authentication:
        """Recognises callers, and keeps the keys of machines."""
        return Authentication(self._adapters, self._settings, self._clock, self._telemetry)

    @cached_property
    def _limits(self) -> Limits:
        return Limits(self._grants, self._settings, self._adapters, self._clock, self._telemetry)

    @property
    def limits(self) -> "Limiter":
        """Counts requests; the entry layer asks it before every operation."""
        return self._limits.limiter

    @property
    def access_trail(self) -> "AccessTrail":
        """Takes what callers read and were refused; the entry layer tells it of every request."""
        return self._adapters.access_trail

    @cached_property
    def reach(self) -> "KnowledgeBaseReach":
        """Knows which knowledge bases a caller reaches; the entry layer asks it before every operation on one."""
        from shared.knowledge.reach import KnowledgeBaseReach

        return KnowledgeBaseReach(self._adapters.records)

    @cached_property
    def tenancy(self) -> Tenancy:
        """Organisations, and who belongs to them."""
        return Tenancy(self._adapters, self._settings, self.identity, self._clock)

    @cached_property
    def identity(self) -> Identity:
        """Signs people in, keeps their sessions, and the keys behind both."""
        return Identity(self._adapters, self._settings, self._grants, self._clock)

    @cached_property
    def audit(self) -> Audit:
        """What becomes of what is told of acts."""
        return Audit(self._adapters, self._settings, self._clock, self._telemetry)

    @cached_property
    def oidc(self) -> Oidc:
        """Signs people in through the identity providers of their organisations."""
        return Oidc(self._adapters, self._settings, self._grants, self.identity, self._clock)

    @cached_property
    def relational(self) -> Relational:
        """The database."""
        return Relational(self._adapters, self._settings, self._grants, self._clock)

    @property
    def cells(self) -> Cells:
        """Where tenants' chunks are, and their moves."""
        return self._adapters.cells

    @cached_property
    def policy(self) -> "IngestionPolicy":
        from shared.knowledge.policy import IngestionPolicy

        return IngestionPolicy(retry_base_s=self._settings.retry_base_s)

    @cached_property
    def ingestion(self) -> Ingestion:
        """The stages that take documents in."""
        return Ingestion(self._adapters, self._clock, self.policy)

    @cached_property
    def web(self) -> Web:
        """Documents that come from the web."""
        return Web(self._adapters, self._settings, self._grants, self._clock, self.policy)

    @cached_property
    def catalogue(self) -> "Catalogue":
        """What a tenant has."""
        from shared.knowledge.catalogue import Catalogue

        return Catalogue(self._adapters.records, self._clock, self.policy)

    @cached_property
    def knowledge_bases(self) -> "KnowledgeBases":
        from shared.knowledge.knowledge_bases import KnowledgeBases

        return KnowledgeBases(self._adapters.records, self._adapters.work_queue, self._clock, self.policy)

    @cached_property
    def documents(self) -> "Documents":
        from shared.knowledge.documents import Documents

        return Documents(
            self._adapters.records,
            self._adapters.objects,
            self._adapters.objects,
            self._adapters.work_queue,
            self._clock,
            self.policy,
        )

    @cached_property
    def originals(self) -> "Originals":
        """Original files of documents that are served."""
        from shared.knowledge.document_content import Originals

        self._grants.require(UPLOADS.get)
        return Originals(self._adapters.records, self._adapters.objects, self._clock, self.policy)

    @cached_property
    def texts(self) -> "Texts":
        """Canonical texts of documents that are served."""
        from shared.knowledge.document_content import Texts

        return Texts(self._adapters.records, self._adapters.artifacts)

    @cached_property
    def previews(self) -> "Previews":
        """What a chunking strategy would make of a sample."""
        from shared.documents.previews import Previews

        return Previews(self._adapters.sample_parser, self._adapters.tokenizer)

    @cached_property
    def retrieval(self) -> "SearchService":
        """Ranks the live chunks of a knowledge base."""
        from shared.retrieval.search import SearchService
        from shared.retrieval.spending import SpendingEmbedder

        parts = self._adapters
        served = parts.live_documents
        embedder = SpendingEmbedder(parts.embedder, parts.embedder.count_tokens)
        return SearchService(served, parts.chunk_index, embedder, served, self._telemetry)

    @cached_property
    def answers(self) -> "AnswerService":
        """Answers questions with quotations from what is live; it remembers texts and vectors between invocations."""
        from shared.answers.memory import RememberedSentences, RememberedTexts
        from shared.answers.service import AnswerService

        texts = RememberedTexts(self._adapters.artifacts)
        return AnswerService(
            self.retrieval,
            texts,
            RememberedSentences(self._adapters.embedder),
            self._adapters.live_documents,
            self._telemetry,
        )

    @cached_property
    def repeated_requests(self) -> "RepeatedRequests":
        from shared.kernel.repeated_requests import RepeatedRequests

        return RepeatedRequests(self._adapters.request_memory, self._clock)

    async def check_readiness(self) -> tuple[str, ...]:
        """Return the names of the parts behind the API. Raises: NotReadyError naming those that do not answer."""
        from shared.retrieval.ports import Scope

        nobody, nothing = TenantId("readiness"), KnowledgeBaseId("kb_" + "0" * 26)
        scope, document = Scope(nothing, 1), DocumentId("doc_" + "0" * 26)
        return await check(
            {
                "metadata": lambda: self._adapters.records.knowledge_bases(nobody, limit=1),
                "vectors": lambda: self._adapters.home_index.read_back(nobody, scope, document, 1, 0),
            }
        )

    async def postpone(self, queue: Queue, receipt_handle: str, seconds: int) -> None:
        """Hide a message of `queue` for `seconds` before its next delivery."""
        self._grants.require(queue.receive)
        await asyncio.to_thread(
            self._adapters.aws.sqs.change_message_visibility,
            QueueUrl=self._settings.address_of(queue),
            ReceiptHandle=receipt_handle,
            VisibilityTimeout=seconds,
        )


def services_for(operation: Operation, settings: Settings, telemetry: Telemetry | None = None) -> Services:
    """Return the services of one operation, limited to what it declares."""
    return Services(Grants(operation.capabilities, operation.id), settings, telemetry)
