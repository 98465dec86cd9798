"""Which adapter stands behind each port, for one function: built when first asked for, from what was declared.

An adapter is imported where it is built, so a function pays only for what it uses.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.operations.capabilities import (
    ACCESS_QUEUE,
    ARTIFACTS,
    AUDIT,
    EMBEDDER,
    EMBEDDINGS,
    IDENTITY,
    METADATA,
    PARSER,
    PUBLIC_KEYS,
    TOKEN_AUDIENCE,
    TOKEN_ISSUER,
    TOKENIZER,
    UPLOADS,
    VECTORS,
)
from shared.operations.grants import Grants, UndeclaredUseError
from shared.telemetry.ports import Telemetry

if TYPE_CHECKING:
    from shared.adapters.aws.clients import AwsClients
    from shared.adapters.dynamodb.live_documents import DynamoLiveDocuments
    from shared.adapters.dynamodb.records import DynamoRecords
    from shared.adapters.dynamodb.transactions import Transactions
    from shared.adapters.minilm.embedder import MiniLmEmbedder
    from shared.adapters.minilm.tokenizer import MiniLmTokenizer
    from shared.adapters.s3.objects import S3Objects
    from shared.audit.trail import AccessTrail
    from shared.composition.cells import Cells
    from shared.documents.ports import Parser
    from shared.identity.tokens import TokenVerifier
    from shared.kernel.repeated_requests import RequestMemory
    from shared.knowledge.messages import Message
    from shared.knowledge.ports import ArtifactStore, TenantFigures, WorkQueue
    from shared.retrieval.ports import ChunkIndex, EmbeddingCache


class Adapters:
    """The adapters of one function."""

    def __init__(self, grants: Grants, settings: Settings, clock: Clock, telemetry: Telemetry) -> None:
        self._grants = grants
        self._settings = settings
        self._clock = clock
        self._telemetry = telemetry

    @cached_property
    def aws(self) -> "AwsClients":
        """AWS clients that refuse every action the operation did not declare."""
        from shared.adapters.aws.clients import AwsClients
        from shared.adapters.dynamodb.bookkeeping import check_told
        from shared.composition.tenant_access import TenantAccess

        names = self._settings.known_addresses()

        def guard(address: str, action: str) -> None:
            name = names.get(address)
            if name is None:
                raise UndeclaredUseError(f"{action} was asked of something unknown to the settings.")
            self._grants.require_action(name, action)

        def check(operation: str, params: Mapping[str, Any]) -> None:
            check_told(operation, params, names.get)

        tenants = TenantAccess(self._grants, self._settings, self._clock)
        return AwsClients(guard, check, tenants.admit, tenants.sessions)

    @cached_property
    def transactions(self) -> "Transactions":
        """Writes records, each with the event that tells of it."""
        from shared.adapters.dynamodb.transactions import Transactions

        return Transactions(self.aws.dynamodb, lambda: self._settings.address_of(AUDIT), self._clock)

    @cached_property
    def access_trail(self) -> "AccessTrail":
        """Takes what callers read and were refused."""
        from shared.adapters.dynamodb.audit_log import DynamoEventRecorder
        from shared.adapters.sqs.access_queue import SqsAccessQueue
        from shared.audit.trail import AccessTrail

        self._grants.require(ACCESS_QUEUE.send, AUDIT.append)
        return AccessTrail(
            SqsAccessQueue(self.aws.prompt_sqs, self._settings.address_of(ACCESS_QUEUE)),
            DynamoEventRecorder(self.aws.prompt_dynamodb, self._settings.address_of(AUDIT)),
        )

    @cached_property
    def token_verifier(self) -> "TokenVerifier":
        """It remembers the published keys between invocations."""
        from shared.adapters.dynamodb.signing_keys import key_set_source
        from shared.adapters.jose.key_set import KeySet
        from shared.adapters.jose.token_verifier import JoseTokenVerifier

        self._grants.require(TOKEN_ISSUER, TOKEN_AUDIENCE, PUBLIC_KEYS.read)
        return JoseTokenVerifier(
            KeySet(key_set_source(self.aws.dynamodb, self._settings.address_of(IDENTITY))),
            issuer=self._settings.address_of(TOKEN_ISSUER.resource),
            audience=self._settings.address_of(TOKEN_AUDIENCE.resource),
            clock=self._clock,
        )

    @cached_property
    def records(self) -> "DynamoRecords":
        """Knowledge bases, documents and their counters."""
        from shared.adapters.dynamodb.records import DynamoRecords

        self._grants.require(METADATA.read)
        return DynamoRecords(self.transactions, self._settings.address_of(METADATA))

    @cached_property
    def tenant_figures(self) -> "TenantFigures":
        """What plans allow, for functions that no caller asks."""
        from shared.adapters.dynamodb.tenant_figures import DynamoTenantFigures

        self._grants.require(IDENTITY.read)
        return DynamoTenantFigures(self.transactions, self._settings.address_of(IDENTITY), self._clock)

    @cached_property
    def live_documents(self) -> "DynamoLiveDocuments":
        """How each base is searched now, and which generation of each document is served."""
        from shared.adapters.dynamodb.live_documents import DynamoLiveDocuments

        self._grants.require(METADATA.read)
        return DynamoLiveDocuments(self.transactions, self._settings.address_of(METADATA))

    @cached_property
    def request_memory(self) -> "RequestMemory":
        from shared.adapters.dynamodb.request_memory import DynamoRequestMemory

        self._grants.require(METADATA.write)
        return DynamoRequestMemory(self.aws.dynamodb, self._settings.address_of(METADATA))

    @cached_property
    def objects(self) -> "S3Objects":
        """Original files, and links to them: a link can do what the function that signs it may do."""
        from shared.adapters.s3.objects import S3Objects

        return S3Objects(self.aws.s3, lambda: self._settings.address_of(UPLOADS))

    @cached_property
    def artifacts(self) -> "ArtifactStore":
        """Canonical texts and chunk manifests."""
        from shared.adapters.s3.artifacts import S3Artifacts

        return S3Artifacts(self.aws.s3, self._settings.address_of(ARTIFACTS))

    @cached_property
    def work_queue(self) -> "WorkQueue":
        """The queues behind the messages of ingestion; sending to one that was not declared is refused."""
        from shared.adapters.sqs.work_queue import SqsWorkQueue
        from shared.composition.queues import queue_of

        def address_of(message: "type[Message]") -> str:
            queue = queue_of(message)
            self._grants.require(queue.send)
            return self._settings.address_of(queue)

        return SqsWorkQueue(self.aws.sqs, address_of)

    @cached_property
    def parser(self) -> "Parser":
        from shared.adapters.parsing.child_process import ChildProcessParser

        self._grants.require(PARSER)
        return ChildProcessParser()

    @cached_property
    def sample_parser(self) -> "Parser":
        """A parser for somebody who waits: it gives up long before API Gateway does, after 30 seconds."""
        from shared.adapters.parsing.child_process import ChildProcessParser
        from shared.adapters.parsing.limits import ParseLimits

        self._grants.require(PARSER)
        return ChildProcessParser(ParseLimits(cpu_s=15, wall_s=18, characters=1_000_000))

    @cached_property
    def chunk_index(self) -> "ChunkIndex":
        """OpenSearch, or the file of the local cloud: of whichever cell the tenant is in, where there are several."""
        return self.cells.chunk_index if self._settings.has_places else self.home_index

    @cached_property
    def home_index(self) -> "ChunkIndex":
        """The chunk index of the first cell, which is all of them in most deployments."""
        self._grants.require_any(VECTORS.search, VECTORS.write)
        return self.cells.stores.of(self.cells.home)

    @cached_property
    def cells(self) -> "Cells":
        """Where tenants' chunks are."""
        from shared.composition.cells import Cells

        return Cells(self, self._settings, self._grants, self._clock, self._telemetry)

    @cached_property
    def embedder(self) -> "MiniLmEmbedder":
        from shared.adapters.minilm.embedder import MiniLmEmbedder

        self._grants.require(EMBEDDER)
        return MiniLmEmbedder(self._settings.model_folder)

    @cached_property
    def tokenizer(self) -> "MiniLmTokenizer":
        """The embedder's tokens, without its weights."""
        from shared.adapters.minilm.tokenizer import MiniLmTokenizer

        self._grants.require(TOKENIZER)
        return MiniLmTokenizer(self._settings.model_folder)

    @cached_property
    def embedding_cache(self) -> "EmbeddingCache":
        from shared.adapters.dynamodb.embedding_cache import DynamoDbEmbeddingCache

        self._grants.require(EMBEDDINGS.read, EMBEDDINGS.write)
        return DynamoDbEmbeddingCache(self.aws.dynamodb, self._settings.address_of(EMBEDDINGS), self._clock)
