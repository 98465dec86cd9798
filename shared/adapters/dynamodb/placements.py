"""Where tenants are, in the table of cells: a step is one transaction, so counts and lists always agree with it (T6).

A placement stands in the tenant's partition. Written with it, so that nobody has to scan: a mark per cell in which the
tenant takes room, a mark while it moves, and the count per cell, an attribute each of one item.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.cell_gates import gate_item
from shared.adapters.dynamodb.cell_keys import (
    PLACED_PREFIX,
    cell_counts_key,
    cell_partition,
    move_mark_key,
    moves_partition,
    placed_mark_key,
    placement_key,
)
from shared.adapters.dynamodb.items import current_item
from shared.adapters.dynamodb.keys import Key
from shared.adapters.dynamodb.transactions import CollisionError, Transactions
from shared.cells.gates import PLACED_ELSEWHERE
from shared.cells.models import CellId
from shared.cells.placements import MoveState, Placement
from shared.kernel.ids import TenantId

_PLACEMENT: Final = TypeAdapter(Placement)
_COUNT_PREFIX: Final = "cell#"

_TOLD: Final = frozenset({MoveState.PLANNED, MoveState.ABORTING, MoveState.SWITCHED, MoveState.DONE})
"""States that leave an event in the tenant's log when a move comes to them; the rest is work that moves on."""


class DynamoPlacements:
    """Implements `PlacementStore`."""

    def __init__(self, transactions: Transactions, table: str, home: CellId | None = None) -> None:
        """A tenant that has a gate at `home` has its first chunks there already, and is placed nowhere else."""
        self._home = home
        self._transactions = transactions
        self._client = transactions.client
        self._table = table

    async def placement(self, tenant: TenantId) -> Placement | None:
        item = await current_item(self._client, self._table, placement_key(tenant))
        return None if item is None else _PLACEMENT.validate_python(from_attribute(item["record"]))

    async def held(self) -> Mapping[CellId, int]:
        item = await current_item(self._client, self._table, cell_counts_key()) or {}
        return {
            CellId(name.removeprefix(_COUNT_PREFIX)): int(count["N"])
            for name, count in item.items()
            if name.startswith(_COUNT_PREFIX)
        }

    async def add(self, placement: Placement, at_most: int) -> bool:
        stored = replace(placement, revision=1)
        put = {**self._item(stored), "ConditionExpression": "attribute_not_exists(pk)"}
        count = {
            "TableName": self._table,
            "Key": cell_counts_key(),
            "UpdateExpression": "ADD #cell :one",
            "ConditionExpression": "attribute_not_exists(#cell) OR #cell < :most",
            "ExpressionAttributeNames": {"#cell": f"{_COUNT_PREFIX}{placement.cell}"},
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":most": {"N": str(at_most)}},
        }
        leaving = [] if self._home in {None, placement.cell} else [self._shut(self._home, placement.tenant)]
        return await self._commit(stored.tenant, {"Put": put}, *self._marks(None, stored), {"Update": count}, *leaving)

    async def replace(self, before: Placement, after: Placement) -> bool:
        stored = replace(after, revision=before.revision + 1)
        put = {
            **self._item(stored),
            "ConditionExpression": "revision = :revision",
            "ExpressionAttributeValues": {":revision": {"N": str(before.revision)}},
        }
        actions = ({"Put": put}, *self._marks(before, stored), *self._counts(before, stored))
        if _state_of(before) == _state_of(after) or _state_of(after) not in _TOLD:
            return await self._keep(*actions)
        return await self._commit(stored.tenant, *actions)

    async def tenants_in(self, cell_id: CellId, limit: int, after: TenantId | None = None) -> list[TenantId]:
        return await self._marked(cell_partition(cell_id), limit, after)

    async def under_way(self, limit: int, after: TenantId | None = None) -> list[TenantId]:
        return await self._marked(moves_partition(), limit, after)

    async def _keep(self, *actions: dict[str, Any]) -> bool:
        try:
            return not await self._transactions.keep(actions)
        except CollisionError:
            return False

    async def _commit(self, tenant: TenantId, *actions: dict[str, Any]) -> bool:
        try:
            return await self._transactions.write_all(tenant, "placement", *actions)
        except CollisionError:
            return False

    def _item(self, placement: Placement) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": {
                **placement_key(placement.tenant),
                "record": to_attribute(_PLACEMENT.dump_python(placement, mode="json")),
                "revision": {"N": str(placement.revision)},
            },
        }

    def _shut(self, home: CellId, tenant: TenantId) -> dict[str, Any]:
        """Return the write that shuts the tenant out at home, unless it has a gate there."""
        put = {
            "TableName": self._table,
            "Item": gate_item(tenant, home, PLACED_ELSEWHERE),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        return {"Put": put}

    def _marks(self, before: Placement | None, after: Placement) -> list[Any]:
        """Return the writes by which the marks of `before` become those of `after`."""
        old, new = _mark_keys(before), _mark_keys(after)
        put = [{"Put": {"TableName": self._table, "Item": key}} for name, key in new.items() if name not in old]
        gone = [{"Delete": {"TableName": self._table, "Key": key}} for name, key in old.items() if name not in new]
        return [*put, *gone]

    def _counts(self, before: Placement, after: Placement) -> list[Any]:
        changes = {
            **dict.fromkeys(after.occupied - before.occupied, 1),
            **dict.fromkeys(before.occupied - after.occupied, -1),
        }
        if not changes:
            return []
        names = {f"#c{number}": f"{_COUNT_PREFIX}{cell_id}" for number, cell_id in enumerate(changes)}
        values = {f":c{number}": {"N": str(change)} for number, change in enumerate(changes.values())}
        update = {
            "TableName": self._table,
            "Key": cell_counts_key(),
            "UpdateExpression": "ADD " + ", ".join(f"#c{number} :c{number}" for number in range(len(changes))),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return [{"Update": update}]

    async def _marked(self, partition: str, limit: int, after: TenantId | None) -> list[TenantId]:
        start = (
            {}
            if after is None
            else {"ExclusiveStartKey": {"pk": {"S": partition}, "sk": {"S": f"{PLACED_PREFIX}{after}"}}}
        )
        answer = await asyncio.to_thread(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": partition}, ":prefix": {"S": PLACED_PREFIX}},
            ConsistentRead=True,
            Limit=limit,
            **start,  # type: ignore[arg-type]
        )
        return [TenantId(item["sk"]["S"].removeprefix(PLACED_PREFIX)) for item in answer["Items"]]


def _state_of(placement: Placement) -> MoveState | None:
    return None if placement.move is None else placement.move.state


def _mark_keys(placement: Placement | None) -> dict[str, Key]:
    """Return the keys of the marks of `placement`, by a name that is the same for the same mark."""
    if placement is None:
        return {}
    keys = {f"in {cell_id}": placed_mark_key(cell_id, placement.tenant) for cell_id in placement.occupied}
    if placement.under_way is not None:
        keys["moves"] = move_mark_key(placement.tenant)
    return keys
