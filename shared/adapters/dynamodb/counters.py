"""Counters of the metadata table: their changes, their conditions, and what a refused condition means (T1, T4).

Each is one item whose numbers only ever move by ADD, so changes that meet add up; its condition is the limit.
"""

from datetime import datetime
from typing import Any

from shared.adapters.dynamodb.attributes import from_attribute
from shared.adapters.dynamodb.keys import due_shard
from shared.kernel.ids import TenantId
from shared.knowledge.errors import CapacityExhaustedError, DocumentLimitError, NoPlaceError
from shared.knowledge.models import Line, Tally, TenantTally
from shared.knowledge.ports import Count, CountTenant, EnterWorkspace, MoveInLine, Turn, WatchLine, Write
from shared.tenancy.errors import WorkspaceNotFoundError

Item = dict[str, Any]
"""An item, or the part of an action that says what to change under which condition."""


def tally_of(item: Item) -> Tally:
    return Tally(_number(item, "documents"), _number(item, "publishes"), _number(item, "bytes"))


def tenant_tally_of(item: Item) -> TenantTally:
    return TenantTally(_number(item, "knowledge_bases"), _number(item, "documents"), _number(item, "bytes"))


def line_of(item: Item) -> Line:
    return Line(_number(item, "processing"), _number(item, "waiting"), _number(item, "places"))


def counting(count: Count) -> Item:
    values = {
        ":documents": {"N": str(count.documents)},
        ":publishes": {"N": str(count.publishes)},
        ":bytes": {"N": str(count.bytes)},
    }
    change: Item = {
        "UpdateExpression": "ADD documents :documents, publishes :publishes, #bytes :bytes",
        "ExpressionAttributeNames": {"#bytes": "bytes"},
        "ExpressionAttributeValues": values,
    }
    if count.limit is not None:
        change["ConditionExpression"] = _room(values, "documents", "documents", count.documents, count.limit)
    elif count.publishes_still is not None:
        values[":still"] = {"N": str(count.publishes_still)}
        change["ConditionExpression"] = "publishes = :still"
        if count.publishes_still == 0:
            change["ConditionExpression"] += " OR attribute_not_exists(publishes)"
    return change


def still(tally: Tally) -> Item:
    """Return the condition that documents and bytes of a base are what `tally` says."""
    condition = "documents = :documents AND #bytes = :bytes"
    if (tally.documents, tally.bytes) == (0, 0):
        condition += " OR attribute_not_exists(documents)"
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#bytes": "bytes"},
        "ExpressionAttributeValues": {":documents": {"N": str(tally.documents)}, ":bytes": {"N": str(tally.bytes)}},
    }


def counting_tenant(count: CountTenant) -> Item:
    values = {
        ":bases": {"N": str(count.knowledge_bases)},
        ":documents": {"N": str(count.documents)},
        ":bytes": {"N": str(count.bytes)},
    }
    change: Item = {
        "UpdateExpression": "ADD knowledge_bases :bases, documents :documents, #bytes :bytes",
        "ExpressionAttributeNames": {"#bytes": "bytes"},
        "ExpressionAttributeValues": values,
    }
    conditions = []
    if count.knowledge_base_limit is not None:
        room = _room(values, "knowledge_bases", "bases", count.knowledge_bases, count.knowledge_base_limit)
        conditions.append(f"({room})")
    if count.byte_limit is not None:
        conditions.append(f"({_room(values, '#bytes', 'bytes', count.bytes, count.byte_limit)})")
    if conditions:
        change["ConditionExpression"] = " AND ".join(conditions)
    return change


def moving(tenant: TenantId, move: MoveInLine) -> Item:
    values: Item = {":processing": {"N": str(move.processing)}, ":waiting": {"N": str(move.waiting)}}
    assignments = []
    if move.places is not None:
        values[":places"] = {"N": str(move.places)}
        assignments.append("places = :places")
    if move.look_at is not None:
        values |= _due_values(tenant, move.look_at)
        assignments += [
            "due_shard = if_not_exists(due_shard, :shard)",
            "due_at = if_not_exists(due_at, :due)",
            "#record = :record",
        ]
    change: Item = {
        "UpdateExpression": "ADD processing :processing, waiting :waiting" + _set(assignments),
        "ExpressionAttributeValues": values,
    }
    if move.look_at is not None:
        change["ExpressionAttributeNames"] = {"#record": "record"}
    if move.turn is not None:
        change["ConditionExpression"] = _free(move, values)
    return change


def watching(tenant: TenantId, watch: WatchLine) -> Item:
    values: Item = {":places": {"N": str(watch.places)}}
    if watch.due is None:
        values[":nobody"] = {"N": "0"}
        return {
            "UpdateExpression": "SET places = :places REMOVE due_shard, due_at",
            "ConditionExpression": "attribute_not_exists(waiting) OR waiting = :nobody",
            "ExpressionAttributeValues": values,
        }
    values |= _due_values(tenant, watch.due)
    return {
        "UpdateExpression": "SET places = :places, due_shard = :shard, due_at = :due, #record = :record",
        "ExpressionAttributeNames": {"#record": "record"},
        "ExpressionAttributeValues": values,
    }


def refusal_of(write: Write, item: Item) -> Exception | None:
    """Return what the refusal of `write` means when `item` is what it met; None when a record is stale."""
    match write:
        case Count(limit=int(limit)):
            used = _number(item, "documents")
            return DocumentLimitError(
                f"This knowledge base holds {used:,} of {limit:,} documents. Delete some, or raise its limit.",
                limit=limit,
                used=used,
            )
        case CountTenant(knowledge_base_limit=int(limit)):
            return CapacityExhaustedError("knowledge_bases", limit, _number(item, "knowledge_bases"))
        case CountTenant(byte_limit=int(limit)):
            return CapacityExhaustedError("storage_bytes", limit, _number(item, "bytes"))
        case EnterWorkspace():
            return WorkspaceNotFoundError("The workspace was deleted. List the workspaces to see what there is.")
        case MoveInLine():
            return NoPlaceError()
    return None


def _room(values: Item, attribute: str, name: str, more: int, limit: int) -> str:
    """Return the condition that `more` still fit under `limit`; of a new item, whether they fit at all."""
    values[f":{name}_room"] = {"N": str(limit - more)}
    fits = f"{attribute} <= :{name}_room"
    return f"attribute_not_exists({attribute}) OR {fits}" if more <= limit else fits


def _free(move: MoveInLine, values: Item) -> str:
    if move.places is None:
        conditions = ["processing < places"]
    else:
        # Of an item that does not exist yet every comparison is false, and all places are free.
        some = " OR attribute_not_exists(processing)" if move.places > 0 else ""
        conditions = [f"(processing < :places{some})"]
    if move.turn is Turn.UNLESS_OTHERS_WAIT:
        values[":nobody"] = {"N": "0"}
        conditions.append("(attribute_not_exists(waiting) OR waiting = :nobody)")
    return " AND ".join(conditions)


def _set(assignments: list[str]) -> str:
    return " SET " + ", ".join(assignments) if assignments else ""


def _due_values(tenant: TenantId, due: datetime) -> Item:
    return {
        ":shard": {"S": due_shard(tenant)},
        ":due": {"N": str(int(due.timestamp() * 1000))},
        ":record": {"M": {"tenant": {"S": str(tenant)}}},
    }


def _number(item: Item, name: str) -> int:
    return int(from_attribute(item[name])) if name in item else 0
