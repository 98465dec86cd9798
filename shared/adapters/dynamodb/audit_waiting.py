"""What waits in the index of the audit table, and whose it is, without a list of tenants."""

import asyncio
import random
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.dynamodb.audit_keys import (
    INDEX,
    UNANCHORED,
    head_key,
    moment_of,
    tenant_of,
    unanchored_item,
    unanchored_key,
    unprojected_item,
)
from shared.audit.chain import Link
from shared.audit.ports import WaitingEvents
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PAGES: Final = 20
"""Pages of a megabyte each: who looks regularly finds the rest next time, when these no longer wait."""

_PLACES: Final = 64
"""At how many places of a longer index it is looked for what stands behind so much that does go on waiting."""


class WaitingItems:
    """Reads the index: all of it, or of very much some of everybody's."""

    def __init__(self, client: "DynamoDBClient", table: str, pages: int = _PAGES, places: int = _PLACES) -> None:
        """`pages` are read in a row, and one more at each of about `places` if that was not all."""
        self._client = client
        self._table = table
        self._pages = pages
        self._places = places

    def tenants(self, kind: str, before: datetime) -> list[TenantId]:
        """Return tenants of which items whose sort key begins with `kind` have waited since before a moment."""
        found = self.since(kind).since_by_tenant
        return [tenant for tenant, since in found.items() if since < before]

    def since(self, kind: str) -> WaitingEvents:
        """Return how many items whose sort key begins with `kind` wait, and since when those of each tenant."""
        found: set[tuple[str, str]] = set()
        oldest: dict[TenantId, datetime] = {}
        for item in self._items(kind):
            tenant, since = tenant_of(item["pk"]["S"]), moment_of(item["pending_at"]["N"])
            found.add((tenant, item["sk"]["S"]))
            oldest[tenant] = min(since, oldest.get(tenant, since))
        return WaitingEvents(len(found), oldest)

    def _items(self, kind: str) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        for _ in range(self._pages):
            answer = self._page(kind, **start)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        # One log that cannot be sealed may fill all these pages for days. Another number of places each time, so
        # that nobody shares one with it for good.
        places = self._places + random.randrange(self._places)  # noqa: S311
        for place in range(places):
            yield from self._page(kind, Segment=place, TotalSegments=places)["Items"]

    def _page(self, kind: str, **place: Any) -> Any:
        return self._client.scan(
            TableName=self._table,
            IndexName=INDEX,
            FilterExpression="begins_with(sk, :kind)",
            ExpressionAttributeValues={":kind": {"S": kind}},
            ProjectionExpression="pk, sk, pending_at",
            **place,
        )


def head_moved(table: str, tenant: TenantId, now: datetime) -> list[Any]:
    """Return the actions of a transaction that moves a head: it waits for its anchor, and its log for its copy.

    One that waits already goes on waiting since then: its place in the index need not be written again.
    """
    return [
        {
            "Update": {
                "TableName": table,
                "Key": {name: mark[name] for name in ("pk", "sk")},
                "UpdateExpression": "SET pending_partition = if_not_exists(pending_partition, :partition), "
                "pending_at = if_not_exists(pending_at, :now)",
                "ExpressionAttributeValues": {":partition": mark["pending_partition"], ":now": mark["pending_at"]},
            }
        }
        for mark in (unanchored_item(tenant, now), unprojected_item(tenant, now))
    ]


class DynamoUnanchoredHeads:
    """Implements `UnanchoredHeads`."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._waiting = WaitingItems(client, table)

    async def unanchored(self) -> list[TenantId]:
        return await asyncio.to_thread(self._waiting.tenants, UNANCHORED, self._clock.now())

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
