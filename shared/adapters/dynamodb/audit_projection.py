"""Which logs wait for their searchable copy, and which change of the audit table says that one has grown."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.adapters.dynamodb.audit_keys import BLOCK_PREFIX, UNPROJECTED, head_key, tenant_of, unprojected_key
from shared.adapters.dynamodb.audit_waiting import WaitingItems
from shared.audit.chain import Link
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoUnprojectedHeads:
    """Implements `UnprojectedHeads`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._waiting = WaitingItems(client, table)

    async def unprojected(self, before: datetime) -> list[TenantId]:
        return await asyncio.to_thread(self._waiting.tenants, UNPROJECTED, before)

    async def mark_projected(self, tenant: TenantId, place: Link) -> None:
        await asyncio.to_thread(self._mark, tenant, place)

    def _mark(self, tenant: TenantId, place: Link) -> None:
        unmoved: Any = {
            "TableName": self._table,
            "Key": head_key(tenant),
            "ConditionExpression": "seq = :seq",
            "ExpressionAttributeValues": {":seq": {"N": str(place.seq)}},
        }
        mark: Any = {"TableName": self._table, "Key": unprojected_key(tenant)}
        try:
            self._client.transact_write_items(TransactItems=[{"ConditionCheck": unmoved}, {"Delete": mark}])
        except self._client.exceptions.TransactionCanceledException:
            return  # the log has grown again: the mark stays for the next copy


def sealed_block(keys: Mapping[str, Any]) -> tuple[TenantId, int] | None:
    """Return whose block a change of the audit table is about and where it begins; None for all else.

    `keys` are plain values, as a stream's consumer is given them.
    """
    sort = str(keys["sk"])
    if not sort.startswith(BLOCK_PREFIX):
        return None
    return tenant_of(str(keys["pk"])), int(sort.removeprefix(BLOCK_PREFIX))
