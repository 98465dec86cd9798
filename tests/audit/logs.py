"""The audit log of one tenant on real stores: what becomes of it, and what an intruder may do to it."""

from dataclasses import dataclass
from functools import cached_property

from shared.adapters.dynamodb.audit_blocks import DynamoBlocks
from shared.adapters.dynamodb.audit_keys import BLOCK_PREFIX, PENDING_PREFIX, head_key
from shared.adapters.dynamodb.audit_log import DynamoEventRecorder, DynamoSealing
from shared.adapters.dynamodb.audit_waiting import DynamoUnanchoredHeads
from shared.adapters.dynamodb.keys import tenant_partition
from shared.adapters.s3.audit_anchors import S3Anchors
from shared.audit.anchors import Anchoring
from shared.audit.events import AuditEvent, read_line
from shared.audit.log_verification import LogVerification
from shared.audit.sealing import LEFT_OVER_AFTER, Sealing
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT, AUDIT_ARCHIVE
from tests.audit.samples import events
from tests.ingestion.cloud import Cloud

CLOCK = SystemClock()


def earlier():
    """Return a moment that is long enough ago for its events to be left over by now."""
    return CLOCK.now() - 3 * LEFT_OVER_AFTER


@dataclass(frozen=True)
class Log:
    """One tenant's log."""

    cloud: Cloud
    tenant: TenantId

    @property
    def table(self):
        return self.cloud.address_of(AUDIT)

    @cached_property
    def recorder(self):
        return DynamoEventRecorder(self.cloud.dynamodb, self.table)

    @cached_property
    def store(self):
        return DynamoSealing(self.cloud.dynamodb, self.table, CLOCK)

    @cached_property
    def blocks(self):
        return DynamoBlocks(self.cloud.dynamodb, self.table)

    @cached_property
    def anchors(self):
        return S3Anchors(self.cloud.s3, self.cloud.address_of(AUDIT_ARCHIVE))

    @cached_property
    def anchoring(self):
        return Anchoring(DynamoUnanchoredHeads(self.cloud.dynamodb, self.table, CLOCK), self.blocks, self.anchors)

    @cached_property
    def verification(self):
        return LogVerification(self.blocks, self.anchors)

    def sealer(self):
        """Return a sealer that shares nothing with others, as if in a process of its own."""
        return Sealing(DynamoSealing(self.cloud.dynamodb, self.table, CLOCK), CLOCK)

    async def record(self, count):
        """Record so many new events, and return them."""
        recorded = events(count, self.tenant, since=earlier())
        await self.recorder.record(self.tenant, recorded)
        return recorded

    async def write(self, count, at_once=90):
        """Record and seal so many events, at most `at_once` in a block."""
        written: list[AuditEvent] = []
        while count > len(written):
            written += await self.record(min(at_once, count - len(written)))
            await self.sealer().seal(self.tenant)
        return written

    async def sealed(self):
        """Return all lines as (sequence number, event)."""
        return await self.sealed_behind(0)

    async def sealed_behind(self, seq):
        """As `sealed`, behind a line; what stands before it may be no block."""
        blocks = await self.blocks.blocks_after(self.tenant, seq, 100_000)
        return [read_line(line) for block in blocks for line in block.lines]

    async def findings(self):
        return (await self.verification.verify_all(self.tenant, None, 1_000)).findings

    def items(self, prefix=""):
        """Return what is stored, by sort key."""
        pages = self.cloud.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": tenant_partition(self.tenant)}},
            ConsistentRead=True,
        )
        found = {item["sk"]["S"]: item for page in pages for item in page["Items"]}
        return {sort: item for sort, item in found.items() if sort.startswith(prefix)}

    def block_items(self):
        return list(self.items(BLOCK_PREFIX).values())

    def waiting(self):
        """Return what is recorded and not sealed."""
        return [item for item in self.items(PENDING_PREFIX).values() if "pending_partition" in item]

    def head_item(self):
        return self.cloud.dynamodb.get_item(TableName=self.table, Key=head_key(self.tenant))["Item"]

    def put(self, item):
        self.cloud.dynamodb.put_item(TableName=self.table, Item=item)

    def delete(self, item):
        self.cloud.dynamodb.delete_item(TableName=self.table, Key={name: item[name] for name in ("pk", "sk")})
