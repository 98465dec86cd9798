"""Audit events in the audit table, from when they are recorded until they stand in a block."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.dynamodb.audit_blocks import block_item, head_item, read_head, read_last_block
from shared.adapters.dynamodb.audit_keys import (
    INDEX,
    PENDING_PREFIX,
    REMEMBERED_FOR,
    pending_item,
    pending_key,
    pending_partition,
    waiting_event,
)
from shared.adapters.dynamodb.audit_waiting import WaitingItems, head_moved
from shared.audit.chain import Block, Link, UnreadableBlock
from shared.audit.events import AuditEvent
from shared.audit.ports import SealingOutcome, WaitingEvents
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ONCE: Final = "attribute_not_exists(pk)"
_WAITS: Final = "attribute_exists(pending_partition)"
_REFUSED: Final = "ConditionalCheckFailed"
_PASSING: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_KEYS_AT_ONCE: Final = 100
"""As many as DynamoDB looks up in one request."""


class DynamoEventRecorder:
    """Implements `EventRecorder`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def record(self, tenant: TenantId, events: Sequence[AuditEvent]) -> None:
        if any(event.tenant != tenant for event in events):
            raise ValueError("Events are recorded for one tenant at a time.")
        await asyncio.gather(*(asyncio.to_thread(self._put, event) for event in events))

    def _put(self, event: AuditEvent) -> None:
        try:
            self._client.put_item(TableName=self._table, Item=pending_item(event), ConditionExpression=_ONCE)
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # it waits, or it is sealed


class DynamoSealing:
    """Implements `SealingStore`."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    async def head(self, tenant: TenantId) -> Link | None:
        return await asyncio.to_thread(read_head, self._client, self._table, tenant)

    async def last_block(self, tenant: TenantId) -> Block | UnreadableBlock | None:
        return await asyncio.to_thread(read_last_block, self._client, self._table, tenant)

    async def pending(self, tenant: TenantId, limit: int, after: AuditEvent | None = None) -> list[AuditEvent]:
        start: dict[str, Any] | None = {} if after is None else {"ExclusiveStartKey": _place_in_index(after)}
        events: list[AuditEvent] = []
        while start is not None and not events:
            answer = await asyncio.to_thread(
                self._client.query,
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="pending_partition = :waiting",
                ExpressionAttributeValues={":waiting": {"S": pending_partition(tenant)}},
                Limit=limit,
                **start,
            )
            # What is no event goes on waiting, and so is told of by how long it waits; it keeps no event from its log.
            events = [event for item in answer["Items"] if (event := waiting_event(tenant, item)) is not None]
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]} if "LastEvaluatedKey" in answer else None
        return events

    async def still_pending(self, tenant: TenantId, events: Sequence[AuditEvent]) -> list[AuditEvent]:
        keys = [pending_key(tenant, event.event_id) for event in events]
        waiting: set[str] = set()
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            waiting |= await asyncio.to_thread(self._waiting, keys[start : start + _KEYS_AT_ONCE])
        return [event for key, event in zip(keys, events, strict=True) if key["sk"]["S"] in waiting]

    def _waiting(self, keys: list[dict[str, Any]]) -> set[str]:
        found: set[str] = set()
        asked: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        while asked:
            answer = self._client.batch_get_item(RequestItems=asked)
            items = answer["Responses"].get(self._table, [])
            found |= {item["sk"]["S"] for item in items if "pending_partition" in item}
            asked = answer.get("UnprocessedKeys")
        return found

    async def seal(self, block: Block, events: Sequence[AuditEvent]) -> SealingOutcome:
        forgotten_at = int((self._clock.now() + REMEMBERED_FOR).timestamp())
        actions = [
            *self._chained(block),
            *(
                self._sealed(event, seq, forgotten_at)
                for seq, event in zip(range(block.first_seq, block.last_seq + 1), events, strict=True)
            ),
        ]
        return await asyncio.to_thread(self._transact, actions, len(actions) - len(events))

    def _chained(self, block: Block) -> list[dict[str, Any]]:
        """The block behind the head that it was made for; two blocks behind one head have one key."""
        head: dict[str, Any] = {"TableName": self._table, "Item": head_item(block.tenant, block.end)}
        if block.first_seq == 1:
            head["ConditionExpression"] = _ONCE
        else:
            head |= {
                "ConditionExpression": "seq = :seq AND #hash = :hash",
                "ExpressionAttributeNames": {"#hash": "hash"},
                "ExpressionAttributeValues": {
                    ":seq": {"N": str(block.first_seq - 1)},
                    ":hash": {"B": block.previous_hash},
                },
            }
        return [
            {"Put": {"TableName": self._table, "Item": block_item(block), "ConditionExpression": _ONCE}},
            {"Put": head},
            *head_moved(self._table, block.tenant, self._clock.now()),
        ]

    def _sealed(self, event: AuditEvent, seq: int, forgotten_at: int) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": pending_key(event.tenant, event.event_id),
                "ConditionExpression": _WAITS,
                "UpdateExpression": "SET seq = :seq, expires_at = :gone REMOVE #event, pending_partition, pending_at",
                "ExpressionAttributeNames": {"#event": "event"},
                "ExpressionAttributeValues": {":seq": {"N": str(seq)}, ":gone": {"N": str(forgotten_at)}},
            }
        }

    def _transact(self, actions: list[Any], chained: int) -> SealingOutcome:
        try:
            self._client.transact_write_items(TransactItems=actions)
        except self._client.exceptions.TransactionCanceledException as error:
            codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            if _REFUSED in codes[:chained]:
                return SealingOutcome.OVERTAKEN
            if _REFUSED in codes[chained:]:
                return SealingOutcome.STALE
            if _PASSING.isdisjoint(codes):
                raise
            return SealingOutcome.OVERTAKEN
        return SealingOutcome.SEALED

    async def waiting(self) -> WaitingEvents:
        return await asyncio.to_thread(WaitingItems(self._client, self._table).since, PENDING_PREFIX)


def _place_in_index(event: AuditEvent) -> dict[str, Any]:
    item = pending_item(event)
    return {name: item[name] for name in ("pk", "sk", "pending_partition", "pending_at")}
