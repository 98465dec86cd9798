"""A leak is found in whichever store it is planted, and no store is left out (T5)."""

import json

import apsw
import asyncpg
import boto3
import pytest
from redis import Redis

from localstack.postgres_server import APP, SUPERUSER
from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
from shared.adapters.opensearch.client import connect
from shared.adapters.opensearch.layout import IndexLayout
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.kernel.ids import KnowledgeBaseId, TenantId
from shared.operations import capabilities
from shared.operations.capabilities import CACHE, DATABASE, RESOURCES, SIGNING_KEYS, Bucket, Queue, Resource, Table
from shared.retrieval.ports import Scope
from tests import stores
from tests.ambient import looking_on
from tests.api.tenants import new_tenant_name
from tests.canaries import canary_of
from tests.contract.chunks import DIMENSIONS, chunk
from tests.ingestion.cloud import furnish
from tests.redis_server import running_redis
from tests.stores import READERS, Entry, entries_of, leaks_in

ACME, GLOBEX = new_tenant_name(), new_tenant_name()
HOME = Scope(KnowledgeBaseId("kb_" + "1" * 26), 1)
MONTH = "SELECT tessera.make_audit_month(now())"
EVENT = """
INSERT INTO tessera.audit_events
  (tenant, seq, at, event_id, actor, operation, resource, kind, outcome, request_id, step, line, hash)
VALUES ($1, $2, now(), 'aud_1', $3, 'get_caller', '', 'access', 'admitted', 'req_1', 0, '', '')
"""


@pytest.fixture
def planted(cloud, tmp_path, request):
    """Stores that nobody else uses: what is planted in them is found by nobody else."""
    return furnish(tmp_path, f"planted-{abs(hash(request.node.name))}")


def leaks(cloud):
    return leaks_in(entries_of(cloud), {})


@pytest.mark.parametrize("table", [one for one in RESOURCES if isinstance(one, Table)], ids=lambda one: one.name)
def test_record_in_the_wrong_partition_is_found(planted, table):
    def put(**attributes):
        item = {"pk": {"S": f"t#{ACME}"}, **attributes}
        planted.dynamodb.put_item(TableName=planted.address_of(table), Item=item)

    put(sk={"S": "own"}, name={"S": canary_of(ACME)}, lines={"B": canary_of(ACME).encode()})
    assert leaks(planted) == []
    put(sk={"S": "name"}, name={"S": canary_of(GLOBEX)})
    put(sk={"S": "bytes"}, lines={"B": canary_of(GLOBEX).encode()})
    put(sk={"S": f"key#{GLOBEX}"})

    assert [leak.marks for leak in leaks(planted)] == [{canary_of(GLOBEX)}, {GLOBEX}, {canary_of(GLOBEX)}]


@pytest.mark.parametrize("bucket", [one for one in RESOURCES if isinstance(one, Bucket)], ids=lambda one: one.name)
def test_object_with_anothers_key_metadata_or_content_is_found(planted, bucket):
    def put(key, body=b"", **metadata):
        planted.s3.put_object(Bucket=planted.address_of(bucket), Key=key, Body=body, Metadata=metadata)

    put(f"t/{ACME}/kb/1/{canary_of(ACME)}.md", canary_of(ACME).encode(), name=canary_of(ACME))
    assert leaks(planted) == []
    put(f"t/{ACME}/kb/1/a.md", canary_of(GLOBEX).encode())
    put(f"t/{ACME}/kb/1/a.md", b"a later version hides nothing")
    put(f"t/{ACME}/kb/1/b.md", name=canary_of(GLOBEX))
    put(f"t/{ACME}/kb/1/{canary_of(GLOBEX)}.md")
    put(f"of-nobody/{GLOBEX}")

    of_bucket = [leak for leak in leaks(planted) if leak.where.startswith("object")]
    assert len(of_bucket) == 4


@pytest.mark.parametrize("queue", [one for one in RESOURCES if isinstance(one, Queue)], ids=lambda one: one.name)
def test_message_about_one_tenant_with_marks_of_another_is_found(planted, queue):
    waiting, dead = planted.address_of(queue), planted.dead_letters[queue.name]

    def send(body, address=waiting, **attributes):
        named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        planted.sqs.send_message(QueueUrl=address, MessageBody=json.dumps(body), MessageAttributes=named)

    own = {"tenant": ACME, "name": canary_of(ACME)}
    send(own, canary=canary_of(ACME))
    send({"keys": [f"t/{ACME}/kb/1/{canary_of(ACME)}.md"]})
    assert leaks(planted) == []
    send({"tenant": ACME, "name": canary_of(GLOBEX)})
    send({"keys": [f"t/{ACME}/kb/1/{canary_of(GLOBEX)}.md"]})
    send(own, canary=canary_of(GLOBEX))
    send({"event": {"tenant": ACME}, "of": GLOBEX}, dead)
    send({"first": {"tenant": ACME}, "second": {"tenant": GLOBEX}})

    assert len(leaks(planted)) == 5


async def test_row_of_the_file_index_is_found(planted):
    index = SqliteChunkIndex(planted.settings.local_folder / "vectors.sqlite")
    for tenant in (ACME, GLOBEX):
        with looking_on():
            await index.write(
                TenantId(tenant), HOME, [chunk(1, canary_of(tenant), metadata={"team": canary_of(tenant)})]
            )
    index.close()
    assert leaks(planted) == []
    assert {entry.owner for entry in entries_of(planted) if canary_of(entry.owner) in entry.text} == {ACME, GLOBEX}

    connection = apsw.Connection(str(planted.settings.local_folder / "vectors.sqlite"))
    connection.execute("UPDATE chunks SET title = text WHERE scope = 1")
    connection.execute("UPDATE chunks SET text = ? WHERE scope = 1", (canary_of(GLOBEX),))
    connection.close()

    assert [leak.where for leak in leaks(planted)] == ["row of chunks"]


@pytest.mark.real_server
@pytest.mark.timeout(600)
async def test_document_of_opensearch_is_found(opensearch_address):
    client = connect(opensearch_address)
    layout = IndexLayout("canaries", DIMENSIONS, replicas=0)
    index = OpenSearchChunkIndex(client, layout)
    try:
        for tenant in (ACME, GLOBEX):
            with looking_on():
                await index.write(TenantId(tenant), HOME, [chunk(1, canary_of(tenant))])
        found = list(stores.of_opensearch(opensearch_address))
        assert leaks_in(found, {}) == []
        assert {entry.owner for entry in found if canary_of(entry.owner) in entry.text} == {ACME, GLOBEX}
        (document,) = [entry for entry in found if entry.owner == ACME]

        assert leaks_in([Entry(document.where, GLOBEX, document.text)], {})
    finally:
        client.indices.delete(index=layout.physical_name, ignore_unavailable=True)
        client.close()


@pytest.mark.real_server
def test_key_of_the_cache_is_found(planted):
    with running_redis() as server, Redis.from_url(server.address) as redis:
        planted.variables[CACHE.variable] = server.address
        redis.hset(f"tessera:{{{ACME}}}:window:calls:ada", mapping={"n": 1, "of": canary_of(ACME)})
        assert leaks(planted) == []
        redis.set(f"tessera:{{{ACME}}}:bucket:read:{GLOBEX}", 1)
        redis.set(f"tessera:{{{ACME}}}:bucket:write:ada", canary_of(GLOBEX))
        redis.set(f"of-nobody:{ACME}", 1)

        assert len(leaks(planted)) == 3


async def test_row_of_the_database_is_found(planted):
    address = planted.address_of(DATABASE).replace(f"//{APP}@", f"//{SUPERUSER}@", 1)
    connection = await asyncpg.connect(address)
    await connection.execute(MONTH)
    await connection.execute(EVENT, ACME, 1, canary_of(ACME))
    assert leaks(planted) == []
    assert [entry.owner for entry in stores.of_database(planted, DATABASE) if ACME in entry.text] == [ACME]
    await connection.execute(EVENT, ACME, 2, canary_of(GLOBEX))
    await connection.close()

    assert [leak.marks for leak in leaks(planted)] == [{canary_of(GLOBEX)}]


def test_mark_in_a_secret_is_found(planted):
    boto3.client("secretsmanager").put_secret_value(
        SecretId=planted.address_of(SIGNING_KEYS), SecretString=json.dumps({"of": ACME})
    )

    assert [leak.where for leak in leaks(planted)] == ["secret signing-keys"]


def test_what_a_tenant_sent_itself_is_no_leak():
    entry = Entry("a record", ACME, f"{ACME} asked for {GLOBEX}")

    assert leaks_in([entry], {ACME: {GLOBEX}}) == []
    assert leaks_in([entry], {GLOBEX: {GLOBEX}})


def test_every_kind_of_resource_is_looked_into():
    """One that is declared in a way that is not known yet fails here first."""
    assert {type(resource) for resource in RESOURCES} <= READERS.keys()


def test_a_resource_that_nobody_looks_into_fails_whatever_has_a_cloud(planted, monkeypatch):
    class Attic(Resource):
        """A store of a new kind."""

    monkeypatch.setattr(stores, "RESOURCES", (*capabilities.RESOURCES, Attic("attic")))

    with pytest.raises(AssertionError, match="Nobody looks into attic"):
        leaks(planted)


async def test_bystander_has_its_canary_in_every_store(bystander, cloud):
    owned: dict[str, list[str]] = {}
    for entry in entries_of(cloud):
        if entry.owner == bystander.tenant.id and bystander.tenant.canary in entry.text:
            owned.setdefault(entry.where.rpartition(" of ")[2], []).append(entry.where)

    kinds = {where.split()[2].partition("#")[0] for where in [*owned["metadata"], *owned["identity"]]}
    assert {"kb", "doc", "workspace", "member", "invitation", "key", "provider"} <= kinds
    assert {"uploads", "artifacts", "accept-queue"} <= owned.keys()
