"""Blocks and heads as items of the audit table, and how they are read.

    block   first_seq, last_seq (numbers), previous_hash, last_hash (32 bytes each),
            lines (binary: the canonical lines, packed), lines_hash (32 bytes: SHA-256 of that binary)
    head    seq (number), hash (32 bytes)

They hold nothing else: every byte of them is covered by the chain or by the hash of the binary.
"""

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.dynamodb.audit_keys import BLOCK_PREFIX, block_key, head_key
from shared.adapters.dynamodb.audit_packing import pack, unpack
from shared.adapters.dynamodb.keys import tenant_partition
from shared.audit.chain import Block, Link, UnreadableBlock
from shared.audit.ports import UnreadableBlockError
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

_BEHIND_ALL: Final = BLOCK_PREFIX + "~"
_HASH_BYTES: Final = 32


def block_item(block: Block) -> Item:
    packed = pack(block.lines)
    return {
        **_frame(block),
        "lines": {"B": packed},
        "lines_hash": {"B": hashlib.sha256(packed).digest()},
    }


def _frame(block: Block) -> Item:
    """All of a block's item but its lines."""
    return {
        **block_key(block.tenant, block.first_seq),
        "first_seq": {"N": str(block.first_seq)},
        "last_seq": {"N": str(block.last_seq)},
        "previous_hash": {"B": block.previous_hash},
        "last_hash": {"B": block.last_hash},
    }


def head_item(tenant: TenantId, head: Link) -> Item:
    return {**head_key(tenant), "seq": {"N": str(head.seq)}, "hash": {"B": head.hash}}


def read_block(tenant: TenantId, item: Item) -> Block:
    """Return the block that `block_item` wrote. Raises: UnreadableBlockError when it cannot have written the item."""
    block = stored_block(tenant, item)
    if isinstance(block, UnreadableBlock) or not block.lines:
        raise UnreadableBlockError(str(item["sk"]["S"]))
    return block


def stored_block(tenant: TenantId, item: Item) -> Block | UnreadableBlock:
    """Return the block that `block_item` wrote, or that the item is none.

    A block whose lines are not what was packed has none: where it stands, and between what, it says nevertheless.
    """
    try:
        packed, told = item["lines"]["B"], item["lines_hash"]["B"]
        block = Block(
            tenant=tenant,
            first_seq=int(item["first_seq"]["N"]),
            last_seq=int(item["last_seq"]["N"]),
            previous_hash=item["previous_hash"]["B"],
            last_hash=item["last_hash"]["B"],
            lines=unpack(packed) if hashlib.sha256(packed).digest() == told else (),
        )
        written = {**_frame(block), "lines": {"B": packed}, "lines_hash": {"B": told}}
    except (KeyError, ValueError, TypeError, AttributeError):
        return _unreadable(item)
    if written != item or {len(block.previous_hash), len(block.last_hash)} != {_HASH_BYTES}:
        return _unreadable(item)
    return block


def _unreadable(item: Item) -> UnreadableBlock:
    seq = str(item["sk"]["S"]).removeprefix(BLOCK_PREFIX)
    return UnreadableBlock(int(seq) if seq.isdecimal() else None)


def read_link(tenant: TenantId, item: Item) -> Link:
    """Return the place that `head_item` wrote. Raises: UnreadableBlockError when it cannot have written the item."""
    try:
        head = Link(int(item["seq"]["N"]), item["hash"]["B"])
        written = head_item(tenant, head)
    except (KeyError, ValueError, TypeError):
        written = {}
    if written != item or len(head.hash) != _HASH_BYTES:
        raise UnreadableBlockError(str(item["sk"]["S"]))
    return head


def read_head(client: "DynamoDBClient", table: str, tenant: TenantId) -> Link | None:
    """Return a tenant's head, strongly consistent; None without one. Raises: UnreadableBlockError."""
    item = client.get_item(TableName=table, Key=head_key(tenant), ConsistentRead=True).get("Item")
    return None if item is None else read_link(tenant, item)


def read_last_block(client: "DynamoDBClient", table: str, tenant: TenantId) -> Block | UnreadableBlock | None:
    """Return what stands behind all other blocks of a tenant, strongly consistent; None without one."""
    answer = client.query(**_blocks(table, tenant, 0), ScanIndexForward=False, Limit=1)
    return stored_block(tenant, answer["Items"][0]) if answer["Items"] else None


def _blocks(table: str, tenant: TenantId, seq: int) -> Any:
    """What is asked for the blocks behind line `seq`."""
    return {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": tenant_partition(tenant)},
            ":first": block_key(tenant, seq + 1)["sk"],
            ":last": {"S": _BEHIND_ALL},
        },
        "ConsistentRead": True,
    }


class DynamoBlocks:
    """Implements `ChainEnd`, `BlockReader` and `StoredLog`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def head(self, tenant: TenantId) -> Link | None:
        return await asyncio.to_thread(read_head, self._client, self._table, tenant)

    async def last_block(self, tenant: TenantId) -> Block | UnreadableBlock | None:
        return await asyncio.to_thread(read_last_block, self._client, self._table, tenant)

    async def blocks_after(self, tenant: TenantId, seq: int, limit: int) -> list[Block]:
        return [read_block(tenant, item) for item in await self._items_after(tenant, seq, limit)]

    async def stored_after(self, tenant: TenantId, seq: int, limit: int) -> list[Block | UnreadableBlock]:
        return [stored_block(tenant, item) for item in await self._items_after(tenant, seq, limit)]

    async def _items_after(self, tenant: TenantId, seq: int, limit: int) -> list[Item]:
        items: list[Item] = []
        start: dict[str, Any] = {}
        while len(items) < limit:
            answer = await asyncio.to_thread(
                self._client.query, **_blocks(self._table, tenant, seq), Limit=limit - len(items), **start
            )
            items.extend(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return items
