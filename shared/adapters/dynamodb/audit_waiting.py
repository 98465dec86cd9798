"""What waits in the index of the audit table, and whose it is, without a list of tenants."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.dynamodb.audit_keys import (
    INDEX,
    UNANCHORED,
    head_key,
    milliseconds,
    tenant_of,
    unanchored_key,
)
from shared.audit.chain import Link
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PAGES: Final = 20
"""Pages of a megabyte each: who looks regularly finds the rest next time, when these no longer wait."""


def tenants_waiting(client: "DynamoDBClient", table: str, kind: str, before: datetime) -> list[TenantId]:
    """Return tenants of which items whose sort key begins with `kind` have waited since before a moment."""
    found: dict[TenantId, None] = {}
    start: dict[str, Any] = {}
    for _ in range(_PAGES):
        answer = client.scan(
            TableName=table,
            IndexName=INDEX,
            FilterExpression="begins_with(sk, :kind) AND pending_at < :before",
            ExpressionAttributeValues={":kind": {"S": kind}, ":before": {"N": milliseconds(before)}},
            ProjectionExpression="pk",
            **start,
        )
        found |= dict.fromkeys(tenant_of(item["pk"]["S"]) for item in answer["Items"])
        if "LastEvaluatedKey" not in answer:
            break
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    return list(found)


class DynamoUnanchoredHeads:
    """Implements `UnanchoredHeads`."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    async def unanchored(self) -> list[TenantId]:
        now = self._clock.now()
        return await asyncio.to_thread(tenants_waiting, self._client, self._table, UNANCHORED, now)

    async def mark_anchored(self, tenant: TenantId, head: Link) -> None:
        await asyncio.to_thread(self._mark, tenant, head)

    def _mark(self, tenant: TenantId, head: Link) -> None:
        unmoved: Any = {
            "TableName": self._table,
            "Key": head_key(tenant),
            "ConditionExpression": "seq = :seq",
            "ExpressionAttributeValues": {":seq": {"N": str(head.seq)}},
        }
        mark: Any = {"TableName": self._table, "Key": unanchored_key(tenant)}
        try:
            self._client.transact_write_items(TransactItems=[{"ConditionCheck": unmoved}, {"Delete": mark}])
        except self._client.exceptions.TransactionCanceledException:
            return  # the head moves on: the mark stays, and the next anchor is the newer one
