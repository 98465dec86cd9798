"""What the stores of a cloud hold, entry by entry, and whose each entry is: so that none holds what is another's (T5).

A store of a new kind joins by a line in `READERS`. A declared resource of a kind that is not there fails every suite
that has a cloud: nobody would look into it.
"""

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

import apsw
import asyncpg
import boto3
from opensearchpy.helpers import scan
from redis import Redis

from localstack.postgres_server import APP, SUPERUSER
from shared.adapters.opensearch.client import connect
from shared.operations.capabilities import (
    RESOURCES,
    Bucket,
    Cache,
    Database,
    DatabaseOwner,
    EncryptionKey,
    EventBus,
    Queue,
    Resource,
    SearchIndex,
    Secret,
    Table,
)
from shared.operations.registry import all_operations
from shared.tenancy.models import OPERATORS
from tests.canaries import Leak, marks_in, marks_of
from tests.ingestion.cloud import Cloud

_PARTITION: Final = re.compile(r"t#([^#]+)(?:#|$)")
_OBJECT: Final = re.compile(r"t/([^/]+)/")
_CACHED: Final = re.compile(r"tessera:\{([^}]*)\}:")
_GZIP: Final = b"\x1f\x8b"
_HIDDEN_S: Final = 600
"""How long a message that was read stays out of sight, so that each is read once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, object, message, row or document. `owner` is its tenant; empty for what must have no marks at all."""

    where: str
    owner: str
    text: str


Reader = Callable[[Cloud, Any], Iterator[Entry]]


def leaks_in(entries: Iterable[Entry], sent: Mapping[str, Collection[str]]) -> list[Leak]:
    """Return the entries with marks that are neither their owner's nor among those that the owner itself `sent`.

    Operators have no data of their own: what they note is about the organisations of the whole deployment.
    """
    found = []
    for entry in entries:
        # A test may name its tenants after one mark, each with a number of its own.
        own = marks_of({entry.owner, *marks_in(entry.owner)}) | frozenset(sent.get(entry.owner, ()))
        if entry.owner != OPERATORS and (foreign := marks_in(entry.text) - own):
            found.append(Leak(entry.where, foreign, entry.text[:2000]))
    return found


def entries_of(cloud: Cloud) -> Iterator[Entry]:
    """Yield all that a cloud's stores hold. Raises: AssertionError for a declared resource that nobody looks into."""
    for resource in RESOURCES:
        assert type(resource) in READERS, f"Nobody looks into {resource.name}: tell tests/stores.py how, in READERS."
        if cloud.variables.get(resource.variable) or isinstance(resource, EventBus):
            yield from READERS[type(resource)](cloud, resource)


def of_table(cloud: Cloud, table: Table) -> Iterator[Entry]:
    """Yield the records of tenants. Accounts, public keys and sign-ins under way are people's, and of all tenants."""
    for page in cloud.dynamodb.get_paginator("scan").paginate(TableName=cloud.address_of(table), ConsistentRead=True):
        for item in page["Items"]:
            if owner := _PARTITION.match(item["pk"]["S"]):
                where = f"record {item['pk']['S']} {item['sk']['S']} of {table.name}"
                yield Entry(where, owner[1], json.dumps(item, default=_readable))


def of_bucket(cloud: Cloud, bucket: Bucket) -> Iterator[Entry]:
    """Yield every version of every object: its key, its metadata, what it holds."""
    name = cloud.address_of(bucket)
    for page in cloud.s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for version in page.get("Versions", ()):
            found = cloud.s3.get_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
            headers = {key: value for key, value in found.items() if isinstance(value, str | dict)}
            text = f"{version['Key']} {json.dumps(headers, default=str)} {_readable(found['Body'].read())}"
            yield Entry(f"object {version['Key']} of {bucket.name}", _owner_of_object(version["Key"]), text)
        for marker in page.get("DeleteMarkers", ()):
            yield Entry(f"marker {marker['Key']} of {bucket.name}", _owner_of_object(marker["Key"]), marker["Key"])


def of_queue(cloud: Cloud, queue: Queue) -> Iterator[Entry]:
    """Yield the messages that wait, and the dead ones: their bodies and all their attributes."""
    for address in (cloud.address_of(queue), cloud.dead_letters[queue.name]):
        while True:
            received = cloud.sqs.receive_message(
                QueueUrl=address,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HIDDEN_S,
                MessageAttributeNames=["All"],
                AttributeNames=["All"],
            ).get("Messages", [])
            if not received:
                break
            for message in received:
                attributes = {**message.get("Attributes", {}), **message.get("MessageAttributes", {})}
                for part in _parts_of(message["Body"]):
                    text = f"{part} {json.dumps(attributes, default=_readable)}"
                    yield Entry(f"message of {queue.name}", _owner_of_message(part), text)


def of_search_index(cloud: Cloud, index: SearchIndex) -> Iterator[Entry]:
    """Yield the chunks of the index that the cloud has: a node of OpenSearch, or files."""
    address = cloud.address_of(index)
    if address.startswith("http"):
        yield from of_opensearch(address)
        return
    for file in sorted(cloud.settings.local_folder.rglob("*.sqlite")):
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            yield from of_sqlite(connection)
        finally:
            connection.close()


def of_sqlite(connection: apsw.Connection) -> Iterator[Entry]:
    """Yield the rows of every plain table: whose a row is, it says itself or by the number of its scope."""
    master = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    tables = [str(name) for (name,) in connection.execute(master)]
    owners = dict(connection.execute("SELECT id, tenant FROM scopes")) if "scopes" in tables else {}
    for table in tables:
        columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
        if not {"tenant", "scope"} & set(columns):
            continue
        for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 (the file's own names)
            values = dict(zip(columns, row, strict=True))
            owner = values["tenant"] if "tenant" in values else owners.get(values["scope"], "")
            yield Entry(f"row of {table}", str(owner), json.dumps(values, default=_readable))


def of_opensearch(address: str) -> Iterator[Entry]:
    """Yield every document of every index of a node."""
    client = connect(address)
    try:
        client.indices.refresh(index="*")
        everything = {"query": {"match_all": {}}, "docvalue_fields": ["tenant"]}
        for found in scan(client, index="*", query=everything):
            owner = "".join(found.get("fields", {}).get("tenant", ()))
            yield Entry(f"document {found['_id']} of {found['_index']}", owner, json.dumps(found))
    finally:
        client.close()


def of_cache(cloud: Cloud, cache: Cache) -> Iterator[Entry]:
    """Yield the keys of a Redis and what stands under them."""
    with Redis.from_url(cloud.address_of(cache)) as redis:
        for key in redis.scan_iter():
            name = key.decode(errors="replace")
            owner = _CACHED.match(name)
            value = redis.hgetall(key) if redis.type(key) == b"hash" else redis.dump(key)
            yield Entry(f"key {name}", unquote(owner[1]) if owner else "", f"{name} {_readable(value)}")


def of_database(cloud: Cloud, database: Database) -> Iterator[Entry]:
    """Yield the rows of every table, as one who no row-level security holds sees them."""
    address = cloud.address_of(database).replace(f"//{APP}@", f"//{SUPERUSER}@", 1)
    with ThreadPoolExecutor(1) as thread:  # whoever asks may have a loop that runs
        rows = thread.submit(asyncio.run, _rows(address)).result()
    for table, owner, text in rows:
        yield Entry(f"row of {table}", owner, text)


_TABLES: Final = """
SELECT relnamespace::regnamespace || '.' || quote_ident(relname) AS name,
       EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant') AS has_tenant
FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition
  AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""


async def _rows(address: str) -> list[tuple[str, str, str]]:
    connection = await asyncpg.connect(address)
    try:
        found = []
        for table in await connection.fetch(_TABLES):
            owner = "tenant" if table["has_tenant"] else "''"
            query = f"SELECT {owner} AS owner, row_to_json(r)::text AS text FROM {table['name']} r"  # noqa: S608
            found += [(table["name"], row["owner"], row["text"]) for row in await connection.fetch(query)]
        return found
    finally:
        await connection.close()


def of_secret(cloud: Cloud, secret: Secret | DatabaseOwner) -> Iterator[Entry]:
    """Yield what a secret says: nothing of any tenant."""
    found = boto3.client("secretsmanager").get_secret_value(SecretId=cloud.address_of(secret))
    yield Entry(f"secret {secret.name}", "", found["SecretString"])


def of_key(cloud: Cloud, key: EncryptionKey) -> Iterator[Entry]:
    """Yield what is known of a key, which keeps nothing that it seals."""
    found = boto3.client("kms").describe_key(KeyId=cloud.address_of(key))
    yield Entry(f"key {key.name}", "", json.dumps(found, default=str))


def of_bus(_cloud: Cloud, bus: EventBus) -> Iterator[Entry]:
    """Yield nothing: what is published is gone, and nobody publishes. Raises: AssertionError when somebody may."""
    publishers = [one.id for one in all_operations() if any(use.resource == bus for use in one.uses)]
    assert not publishers, f"{publishers} publish: let tests/stores.py listen to {bus.name}."
    yield from ()


READERS: Final[Mapping[type[Resource], Reader]] = {
    Table: of_table,
    Bucket: of_bucket,
    Queue: of_queue,
    SearchIndex: of_search_index,
    Cache: of_cache,
    Database: of_database,
    DatabaseOwner: of_secret,
    Secret: of_secret,
    EncryptionKey: of_key,
    EventBus: of_bus,
}
"""How each kind of store is read."""


def _readable(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    return (_unpacked(value) if value.startswith(_GZIP) else value).decode(errors="replace")


def _unpacked(value: bytes) -> bytes:
    try:
        return gzip.decompress(value)
    except (OSError, EOFError, zlib.error):
        return value  # a test has damaged it


def _owner_of_object(key: str) -> str:
    found = _OBJECT.match(key)
    return found[1] if found else ""


def _parts_of(body: str) -> list[str]:
    """Return what a message speaks of one by one: a notification of a bucket may be about several tenants."""
    records = json.loads(body).get("Records")
    return [json.dumps(record) for record in records] if isinstance(records, list) else [body]


def _owner_of_message(body: str) -> str:
    """Return the only tenant that a message names, by name or by keys of objects; nothing when it is not one."""
    owners = {owner for owner in _tenants_in(json.loads(body)) if owner}
    return owners.pop() if len(owners) == 1 else ""


def _tenants_in(value: Any) -> Iterator[str]:
    match value:
        case dict():
            if isinstance(value.get("tenant"), str):
                yield value["tenant"]
            for inner in value.values():
                yield from _tenants_in(inner)
        case list():
            for inner in value:
                yield from _tenants_in(inner)
        case str():
            yield _owner_of_object(unquote_plus(value))
