"""What an operation may use: resources, the verbs on them, and the literal actions that each verb means.

CDK turns a capability into exact actions on exact addresses; at run time the composition root hands out only what was
declared, and the AWS clients refuse any call that the declared actions do not cover.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final


class Group(StrEnum):
    """Dependency groups by weight: an operation ships with the lightest one that carries all it uses."""

    API = "api"
    RELATIONAL = "relational"
    SEARCH = "search"
    INGEST = "ingest"

    @property
    def carries(self) -> "frozenset[Group]":
        """The groups whose packages are in this one's, itself among them."""
        return _CARRIED[self]


_CARRIED: Final = {
    Group.API: frozenset({Group.API}),
    Group.RELATIONAL: frozenset({Group.API, Group.RELATIONAL}),
    Group.SEARCH: frozenset({Group.API, Group.SEARCH}),
    Group.INGEST: frozenset({Group.API, Group.SEARCH, Group.INGEST}),
}


@dataclass(frozen=True)
class Resource:
    """Something outside the function that an environment provides under `name`.

    `variable` is the environment variable that carries its address: CDK writes it, settings read it.
    """

    name: str

    @property
    def variable(self) -> str:
        return "TESSERA_" + self.name.upper().replace("-", "_")


@dataclass(frozen=True)
class Capability:
    """One verb on one resource. `actions` are IAM actions on the resource itself, `actions_within` on what it holds.

    `partitions` are patterns of partition keys that belong to no tenant, `*` standing for anything; with none, what is
    meant are the partitions of the tenant that the function works for. `needs_vpc` says that production reaches the
    resource only from inside the VPC.
    """

    resource: Resource
    verb: str
    actions: tuple[str, ...] = ()
    actions_within: tuple[str, ...] = ()
    group: Group = Group.API
    needs_vpc: bool = False
    partitions: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.resource.name}.{self.verb}"


QUERY: Final = "dynamodb:Query"
READS: Final = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
WRITES: Final = (
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)


@dataclass(frozen=True)
class Index:
    """A secondary index of a table: sparse, eventually consistent, all attributes. String key, numeric sort key.

    `leads_with_tenant` says that its partitions are named like the table's, `t#<tenant>` and below: then one is asked
    for in a session of its tenant.
    """

    name: str
    partition_key: str
    sort_key: str
    leads_with_tenant: bool = False


@dataclass(frozen=True)
class Table(Resource):
    """A DynamoDB table: string keys `pk` and `sk`, numeric `expires_at` as its time to live."""

    partition_key: str = "pk"
    sort_key: str = "sk"
    time_to_live: str = "expires_at"
    indexes: tuple[Index, ...] = ()

    @cached_property
    def query_indexes(self) -> Capability:
        """Query the secondary indexes, which lie within the table's address."""
        return Capability(self, "query-indexes", (), (QUERY,))

    @cached_property
    def scan_indexes(self) -> Capability:
        """Read the secondary indexes through, whatever their partitions: cheap where they are sparse."""
        return Capability(self, "scan-indexes", (), ("dynamodb:Scan",))

    @cached_property
    def read(self) -> Capability:
        return Capability(self, "read", READS)

    @cached_property
    def write(self) -> Capability:
        return Capability(self, "write", WRITES)

    @cached_property
    def append(self) -> Capability:
        """Put items: all that it takes to add to a log."""
        return Capability(self, "append", ("dynamodb:PutItem",))


@dataclass(frozen=True)
class Partitions:
    """Partitions of a table that belong to no tenant, by patterns of their keys."""

    table: Table
    name: str
    patterns: tuple[str, ...]

    @cached_property
    def read(self) -> Capability:
        return Capability(self.table, f"read-{self.name}", READS, partitions=self.patterns)

    @cached_property
    def write(self) -> Capability:
        return Capability(self.table, f"write-{self.name}", WRITES, partitions=self.patterns)

    @cached_property
    def replace(self) -> Capability:
        """Put items whole, and delete them."""
        return Capability(
            self.table, f"replace-{self.name}", ("dynamodb:DeleteItem", "dynamodb:PutItem"), partitions=self.patterns
        )


@dataclass(frozen=True)
class Bucket(Resource):
    """A versioned S3 bucket.

    `is_locked` says that what was written stays as it is for years where an environment keeps its data: nobody deletes
    a version, no administrator either.
    """

    is_locked: bool = False

    @cached_property
    def get(self) -> Capability:
        """Read objects and their versions, and list them: S3 may answer 403 for what it does not have."""
        return Capability(
            self, "get", ("s3:ListBucket", "s3:ListBucketVersions"), ("s3:GetObject", "s3:GetObjectVersion")
        )

    @cached_property
    def put(self) -> Capability:
        return Capability(self, "put", (), ("s3:PutObject",))

    @cached_property
    def delete(self) -> Capability:
        """Write delete markers; no version is destroyed."""
        return Capability(self, "delete", (), ("s3:DeleteObject",))

    @cached_property
    def list_versions(self) -> Capability:
        """List the versions of objects."""
        return Capability(self, "list-versions", ("s3:ListBucketVersions",))

    @cached_property
    def purge(self) -> Capability:
        """Destroy versions for good."""
        return Capability(self, "purge", ("s3:ListBucketVersions",), ("s3:DeleteObject", "s3:DeleteObjectVersion"))


@dataclass(frozen=True)
class Queue(Resource):
    """An SQS queue with a dead-letter queue. `fed_by` is the bucket whose object events go there, if any."""

    fed_by: Bucket | None = None

    @cached_property
    def send(self) -> Capability:
        return Capability(self, "send", ("sqs:SendMessage",))

    @cached_property
    def receive(self) -> Capability:
        """What an event source needs; the queue trigger adds it by itself."""
        return Capability(
            self,
            "receive",
            ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
        )


@dataclass(frozen=True)
class EventBus(Resource):
    """An EventBridge bus."""

    @cached_property
    def publish(self) -> Capability:
        return Capability(self, "publish", ("events:PutEvents",))


@dataclass(frozen=True)
class Secret(Resource):
    """A Secrets Manager secret that this deployment fills by itself; until it does, its value is `{}`."""

    @cached_property
    def read(self) -> Capability:
        return Capability(self, "read", ("secretsmanager:GetSecretValue",))

    @cached_property
    def replace(self) -> Capability:
        return Capability(self, "replace", ("secretsmanager:PutSecretValue",))


@dataclass(frozen=True)
class EncryptionKey(Resource):
    """A symmetric KMS key for values that are sealed before they are stored; each names its context."""

    @cached_property
    def seal(self) -> Capability:
        return Capability(self, "seal", ("kms:Encrypt",))

    @cached_property
    def open(self) -> Capability:
        return Capability(self, "open", ("kms:Decrypt",))


@dataclass(frozen=True)
class Cache(Resource):
    """Redis: ElastiCache in production. An environment without one leaves its address empty.

    The address is a URL: `redis://host:port`, or for ElastiCache `rediss://<user>@<host>:<port>/?iam=<cache>`: TLS, and
    instead of a password a token that the function signs for that user of that serverless cache. It shows itself as a
    cluster, so all keys of one script carry the same {hash tag}.
    """

    @cached_property
    def connect(self) -> Capability:
        return Capability(self, "connect", ("elasticache:Connect",), needs_vpc=True)


@dataclass(frozen=True)
class Database(Resource):
    """PostgreSQL: Aurora in AWS. An environment without one leaves its address empty.

    The address is a URL: `postgresql://user@host:port/database`, for Aurora with `?iam=true`: instead of a password a
    token that the function signs. `user` is who functions are there: one that row-level security holds.
    """

    user: str = "tessera_app"

    @cached_property
    def connect(self) -> Capability:
        return Capability(self, "connect", ("rds-db:connect",), group=Group.RELATIONAL, needs_vpc=True)


@dataclass(frozen=True)
class DatabaseOwner(Resource):
    """The owner of a database's tables, who changes what they look like: the secret that holds its password.

    `server_variable` carries where the server itself is, as a URL like a database's, past any pooler.
    """

    @property
    def server_variable(self) -> str:
        return f"{self.variable}_SERVER"

    @cached_property
    def sign_in(self) -> Capability:
        return Capability(self, "sign-in", ("secretsmanager:GetSecretValue",), group=Group.RELATIONAL, needs_vpc=True)


@dataclass(frozen=True)
class SearchIndex(Resource):
    """The chunk index: OpenSearch in production, a SQLite file in the local cloud."""

    @cached_property
    def search(self) -> Capability:
        return Capability(self, "search", (), ("es:ESHttpGet", "es:ESHttpPost"), group=Group.SEARCH, needs_vpc=True)

    @cached_property
    def write(self) -> Capability:
        return Capability(
            self,
            "write",
            (),
            ("es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"),
            group=Group.SEARCH,
            needs_vpc=True,
        )


METADATA: Final = Table("metadata", indexes=(Index("due", "due_shard", "due_at"),))
EMBEDDINGS: Final = Table("embeddings")
IDENTITY: Final = Table("identity", indexes=(Index("tenants", "listing", "listed_at"),))
"""Tenants, workspaces, members, invitations, credentials, sessions: apart from the data, for few functions only."""
LIMITS: Final = Table("limits")
"""Where requests are counted when no cache is configured."""
STRANGERS: Final = "@*"
"""Names under which requests without credentials are counted; no tenant can have one."""
LIMITS_OF_STRANGERS: Final = Partitions(LIMITS, "strangers", (f"t#{STRANGERS}",))
"""Requests without credentials, counted by the address that they come from."""
ACCOUNTS: Final = Partitions(IDENTITY, "accounts", ("user#*", "email#*"))
"""People and their addresses, who may belong to several tenants."""
MEMBERSHIPS: Final = Partitions(IDENTITY, "memberships", ("user#*",))
"""The entries at people's accounts that say where they belong; a member's record stands in the tenant's partition."""
NOBODY: Final = Partitions(IDENTITY, "nobody", ("t#-",))
"""Where failures to sign in are kept that concern no organisation."""
PUBLIC_KEYS: Final = Partitions(IDENTITY, "public-keys", ("keys",))
"""The public halves of the signing keys."""
EXTERNAL_SIGN_INS: Final = Partitions(IDENTITY, "external-sign-ins", ("oidc#*",))
"""Sign-ins under way through identity providers, each found by the hash of a secret."""
CELLS: Final = Table("cells")
"""In which cell each tenant's chunks are, and its moves: apart from people and keys, since searches read it (T6)."""
CELL_REGISTRY: Final = Partitions(CELLS, "registry", ("cells", "cell#*", "moves"))
"""All cells, which tenants take room in each, and which ones move."""
AUDIT: Final = Table("audit", indexes=(Index("pending", "pending_partition", "pending_at", leads_with_tenant=True),))
"""Who did what (T7): events that wait for being sealed, and the sealed log of every tenant."""
CACHE: Final = Cache("cache")
SIGNING_KEYS: Final = Secret("signing-keys")
"""The private keys of access tokens; their public halves stand in the identity table."""
CREDENTIALS_KEY: Final = EncryptionKey("credentials-key")
"""Seals what a tenant entrusts to us and we must read again: client secrets of identity providers."""
UPLOADS: Final = Bucket("uploads")
ARTIFACTS: Final = Bucket("artifacts")
AUDIT_ARCHIVE: Final = Bucket("audit-archive", is_locked=True)
"""Where audit logs are anchored, and exported to."""
ACCEPT_QUEUE: Final = Queue("accept-queue", fed_by=UPLOADS)
FETCH_QUEUE: Final = Queue("fetch-queue")
PARSE_QUEUE: Final = Queue("parse-queue")
INDEX_QUEUE: Final = Queue("index-queue")
PUBLISH_QUEUE: Final = Queue("publish-queue")
SWEEP_QUEUE: Final = Queue("sweep-queue")
REINDEX_QUEUE: Final = Queue("reindex-queue")
ACCESS_QUEUE: Final = Queue("access-queue")
"""Accesses and refusals on their way to the audit log."""
EVENTS: Final = EventBus("events")
VECTORS: Final = SearchIndex("vectors")
DATABASE: Final = Database("database")
"""Read models that are asked by many attributes: the audit log by actor, operation, resource and time."""
DATABASE_OWNER: Final = DatabaseOwner("database-owner")

EMBEDDER: Final = Capability(Resource("embedder"), "embed", group=Group.SEARCH)
"""The bundled model: no address and no action, only weight in the asset."""

TOKENIZER: Final = Capability(EMBEDDER.resource, "tokenize", group=Group.SEARCH)
"""The model's vocabulary alone, for chunking: the model itself does not fit into one function with the parser."""

PARSER: Final = Capability(Resource("parser"), "parse", group=Group.INGEST)
"""The bundled parser: no address and no action, only weight in the asset."""

INTERNET: Final = Capability(Resource("internet"), "reach")
"""Call servers that are not ours, such as a tenant's identity provider: no address and no action, only a way out."""

FETCH_POLICY: Final = Capability(Resource("fetch-policy"), "heed")
"""Which web addresses may be fetched, and who answers for it: a setting, there is nothing to permit."""

SIGN_UP: Final = Capability(Resource("sign-up"), "heed")
"""Whether people may create organisations by themselves: `open` or `closed`."""

TOKEN_ISSUER: Final = Capability(Resource("token-issuer"), "trust")
"""The `iss` that access tokens must carry."""

TOKEN_AUDIENCE: Final = Capability(Resource("token-audience"), "trust")
"""The `aud` that access tokens must carry."""

RESOURCES: Final[tuple[Resource, ...]] = (
    METADATA, EMBEDDINGS, IDENTITY, LIMITS, CELLS, AUDIT, UPLOADS, ARTIFACTS, AUDIT_ARCHIVE, ACCEPT_QUEUE, FETCH_QUEUE,
    PARSE_QUEUE, INDEX_QUEUE, PUBLISH_QUEUE, SWEEP_QUEUE, REINDEX_QUEUE, ACCESS_QUEUE, EVENTS, VECTORS, CACHE,
    SIGNING_KEYS, CREDENTIALS_KEY, DATABASE, DATABASE_OWNER,
)  # fmt: skip


def group_of(uses: tuple[Capability, ...]) -> Group:
    """Return the lightest dependency group that carries every capability of `uses`.

    Raises: ValueError where none does: such an operation is two, with a queue between them.
    """
    needed = {use.group for use in uses}
    for group in Group:
        if needed <= group.carries:
            return group
    raise ValueError(f"No dependency group carries all of {', '.join(sorted(needed))}.")
