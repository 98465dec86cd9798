"""What it takes to write the head of an audit log anew: the marks that sealed events left, and one transaction."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from shared.adapters.dynamodb.audit_blocks import DynamoBlocks, head_item
from shared.adapters.dynamodb.audit_keys import (
    PENDING_PREFIX,
    block_key,
    first_event_id,
    head_key,
    pending_item,
    pending_key,
)
from shared.adapters.dynamodb.audit_waiting import head_moved
from shared.adapters.dynamodb.keys import tenant_partition
from shared.audit.chain import Link
from shared.audit.events import AuditEvent, AuditEventId
from shared.kernel.ids import TenantId

_ONCE: Final = "attribute_not_exists(pk)"
_BEHIND_ALL: Final = PENDING_PREFIX + "~"
_FIRST: Final = datetime.fromtimestamp(0, UTC)


class DynamoHeads(DynamoBlocks):
    """Implements `MendingStore`."""

    async def marks_since(self, tenant: TenantId, since: datetime | None) -> AsyncIterator[tuple[int, AuditEventId]]:
        first = pending_key(tenant, first_event_id(since or _FIRST))
        start: dict[str, Any] | None = {}
        while start is not None:
            answer = await asyncio.to_thread(
                self._client.query,
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                FilterExpression="attribute_exists(seq)",
                ProjectionExpression="sk, seq",
                ExpressionAttributeValues={
                    ":pk": {"S": tenant_partition(tenant)},
                    ":first": first["sk"],
                    ":last": {"S": _BEHIND_ALL},
                },
                ConsistentRead=True,
                **start,
            )
            for item in answer["Items"]:
                yield int(item["seq"]["N"]), AuditEventId(item["sk"]["S"].removeprefix(PENDING_PREFIX))
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]} if "LastEvaluatedKey" in answer else None

    async def put_head(self, tenant: TenantId, end: Link, event: AuditEvent) -> bool:
        return await asyncio.to_thread(self._put_head, tenant, end, event)

    def _put_head(self, tenant: TenantId, end: Link, event: AuditEvent) -> bool:
        place: Any = {"TableName": self._table}
        head = (
            {"Put": {**place, "Item": head_item(tenant, end)}}
            if end.seq
            else {"Delete": {**place, "Key": head_key(tenant)}}
        )
        behind = {**place, "Key": block_key(tenant, end.seq + 1), "ConditionExpression": _ONCE}
        told = {**place, "Item": pending_item(event), "ConditionExpression": _ONCE}
        actions: list[Any] = [
            head,
            {"ConditionCheck": behind},
            {"Put": told},
            *head_moved(self._table, tenant, event.at),
        ]
        try:
            self._client.transact_write_items(TransactItems=actions)
        except self._client.exceptions.TransactionCanceledException as error:
            codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            if codes[1:2] != ["ConditionalCheckFailed"]:
                raise
            return False
        return True
