"""Gates and erasures of tenants that move, in the table of cells (T6)."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.cell_keys import ERASURE_PREFIX, erasure_key, gate_key
from shared.adapters.dynamodb.items import current_item
from shared.adapters.dynamodb.keys import tenant_partition
from shared.cells.erasures import Erasure
from shared.cells.gates import Gate, GateRole
from shared.cells.models import CellId
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_FOR: Final = timedelta(days=90)
"""How long an erasure is kept that no move came to the end with: longer than any takes."""


class DynamoGates:
    """Implements `GateStore`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def gate(self, tenant: TenantId, cell_id: CellId) -> Gate:
        item = await current_item(self._client, self._table, gate_key(tenant, cell_id))
        if item is None:
            return Gate()
        peer = item.get("peer")
        return Gate(int(item["epoch"]["N"]), GateRole(item["role"]["S"]), None if peer is None else CellId(peer["S"]))

    async def set_gate(self, tenant: TenantId, cell_id: CellId, gate: Gate) -> Gate:
        try:
            await asyncio.to_thread(
                self._client.put_item,
                TableName=self._table,
                Item=gate_item(tenant, cell_id, gate),
                ConditionExpression="attribute_not_exists(pk) OR epoch < :epoch",
                ExpressionAttributeValues={":epoch": {"N": str(gate.epoch)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return await self.gate(tenant, cell_id)
        return gate


def gate_item(tenant: TenantId, cell_id: CellId, gate: Gate) -> dict[str, Any]:
    """Return the item of a gate."""
    peer = {} if gate.peer is None else {"peer": {"S": gate.peer}}
    return {
        **gate_key(tenant, cell_id),
        "epoch": {"N": str(gate.epoch)},
        "role": {"S": gate.role.value},
        **peer,
    }


class DynamoErasures:
    """Implements `ErasureStore`."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    async def note(self, tenant: TenantId, erasure: Erasure) -> None:
        expires_at = int((self._clock.now() + KEPT_FOR).timestamp())
        item = {
            **erasure_key(tenant, erasure),
            "record": to_attribute(asdict(erasure)),
            "expires_at": {"N": str(expires_at)},
        }
        await asyncio.to_thread(self._client.put_item, TableName=self._table, Item=item)

    async def noted(self, tenant: TenantId, limit: int) -> Sequence[Erasure]:
        answer = await asyncio.to_thread(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": tenant_partition(tenant)}, ":prefix": {"S": ERASURE_PREFIX}},
            ConsistentRead=True,
            Limit=limit,
        )
        return [Erasure(**from_attribute(item["record"])) for item in answer["Items"]]

    async def forget(self, tenant: TenantId, erasures: Sequence[Erasure]) -> None:
        for erasure in erasures:
            await asyncio.to_thread(self._client.delete_item, TableName=self._table, Key=erasure_key(tenant, erasure))
