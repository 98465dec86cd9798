"""The same world on real stores: DynamoDB and S3 of the emulator, and the embedded index."""

import asyncio
import json
import secrets
import time
from datetime import UTC, datetime

from shared.adapters.dynamodb.keys import line_key
from shared.adapters.dynamodb.records import DynamoRecords
from shared.adapters.s3.artifacts import S3Artifacts
from shared.adapters.s3.objects import S3Objects
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.knowledge.messages import LookAgain
from shared.operations.capabilities import ACCEPT_QUEUE, ARTIFACTS, METADATA, UPLOADS
from tests.ingestion.cloud import make_table
from tests.ingestion.world import TENANT
from tests.records import transactions_of

PATIENCE_S = 60
"""How long a busy machine may take over an event; it is waited for only where one must come."""


class RealObjects(S3Objects):
    """The bucket, and what people do to it behind our back."""

    silent = 0
    """How many calls since somebody asked had nothing to put or delete: the bucket says nothing of those."""

    async def put_once(self, tenant, key, content):
        before = self.history(key)
        await super().put_once(tenant, key, content)
        self.silent += self.history(key) == before

    async def delete(self, tenant, key):
        self.silent += not self.history(key)
        await super().delete(tenant, key)

    def put(self, key, content):
        return self._client.put_object(Bucket=self._bucket, Key=key, Body=content)["VersionId"]

    def remove(self, key):
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def destroy(self, key, version_id):
        self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version_id)

    def history(self, key):
        listed = self._client.list_object_versions(Bucket=self._bucket, Prefix=key)
        found = [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]
        newest = [entry["VersionId"] for entry in found if entry["IsLatest"]]
        return [entry["VersionId"] for entry in found if not entry["IsLatest"]] + newest


class RealStores:
    """Real stores; each call is run to its end by a loop of its own, so a test still decides what happens when."""

    def __init__(self, cloud, folder):
        self._cloud = cloud
        self._loop = asyncio.new_event_loop()
        # A table of its own: the schedule looks at whatever is due, and that must not be another test's.
        self._table = f"tessera-test-{secrets.token_hex(8)}"
        make_table(cloud.dynamodb, METADATA, self._table)
        self.records = DynamoRecords(transactions_of(cloud), self._table)
        self.objects = RealObjects(cloud.s3, lambda: cloud.address_of(UPLOADS))
        self.artifacts = S3Artifacts(cloud.s3, cloud.address_of(ARTIFACTS))
        folder.mkdir(parents=True)
        self.index = SqliteChunkIndex(folder / "vectors.sqlite")

    def close(self):
        self.index.close()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def finish(self, call):
        return self._loop.run_until_complete(call)

    def documents(self, kb_id):
        return self.finish(self.records.documents(TENANT, kb_id, 1000))

    def base(self, kb_id):
        return self.finish(self.records.knowledge_base(TENANT, kb_id))

    def bases(self):
        return self.finish(self.records.knowledge_bases(TENANT, 1000))

    def tally(self, kb_id):
        return self.finish(self.records.tally(TENANT, kb_id))

    def tenant_tally(self):
        return self.finish(self.records.tenant_tally(TENANT))

    def line(self):
        return self.finish(self.records.line(TENANT))

    def waiting(self):
        return self.finish(self.records.waiting(TENANT, 1000))

    def line_dues(self):
        """Return when the waiting line is due, like everything else of this table that is not a document or base."""
        found = self._cloud.dynamodb.get_item(TableName=self._table, Key=line_key(TENANT), ConsistentRead=True)
        due = found.get("Item", {}).get("due_at")
        return [] if due is None else [datetime.fromtimestamp(int(due["N"]) / 1000, UTC)]

    def text(self, document, generation):
        place = (TENANT, document.kb_id, document.document_id, generation)
        return self.finish(self.artifacts.get_text(*place)).text

    def read_back(self, scope, document, served):
        last = served.chunks - 1
        found = self.finish(self.index.read_back(TENANT, scope, document.document_id, served.generation, last))
        return (found.count, found.has_first, found.has_last) == (served.chunks, True, True)

    def events(self, expected=0):
        """Take the bucket's own events out of the real queue: they come a moment after what they speak of."""
        expected, self.objects.silent = expected - self.objects.silent, 0
        keys, deadline = self._taken(), time.monotonic() + PATIENCE_S
        while len(keys) < expected and time.monotonic() < deadline:
            time.sleep(0.01)
            keys.extend(self._taken())
        return keys

    def _taken(self):
        address = self._cloud.address_of(ACCEPT_QUEUE)
        keys: list[str] = []
        while found := self._cloud.sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages", []):
            for message in found:
                keys.extend(LookAgain.model_validate(json.loads(message["Body"])).keys)
                self._cloud.sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
        return keys
