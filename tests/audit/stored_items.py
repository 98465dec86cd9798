"""The items of one tenant's log as the table holds them, where a test can change any byte of any of them."""

import hashlib
from dataclasses import dataclass
from typing import Any

from shared.adapters.dynamodb.audit_blocks import block_item, head_item, read_link, stored_block
from shared.adapters.dynamodb.audit_keys import block_key, head_key
from shared.adapters.dynamodb.audit_packing import pack, unpack
from shared.audit.chain import Link
from shared.audit.log_verification import LogVerification
from tests.audit.samples import ACME, chain


@dataclass
class StoredItems:
    """Implements `StoredLog` and `Anchors` on items in memory, sorted as DynamoDB sorts them."""

    items: list[dict[str, Any]]
    anchored: tuple[Link, ...] = ()

    @classmethod
    def of(cls, events, in_block):
        blocks = chain(events, in_block=in_block)
        return cls([*map(block_item, blocks), head_item(ACME, blocks[-1].end)])

    async def head(self, tenant):
        key = head_key(tenant)
        found = [item for item in self.items if key.items() <= item.items()]
        return read_link(tenant, found[0]) if found else None

    async def stored_after(self, tenant, seq, limit):
        first = block_key(tenant, seq + 1)
        found = [
            item
            for item in self.items
            if item["pk"] == first["pk"] and first["sk"]["S"].encode() <= item["sk"]["S"].encode() <= b"block#~"
        ]
        found.sort(key=lambda item: item["sk"]["S"].encode())
        return [stored_block(tenant, item) for item in found[:limit]]

    async def anchors_after(self, tenant, seq):
        for anchor in self.anchored:
            if anchor.seq > seq:
                yield anchor

    async def findings(self):
        verification = LogVerification(self, self)
        return (await verification.verify_all(ACME, None, most_parts=100)).findings

    def places(self):
        """Yield (item, attribute, byte) for every byte that is stored."""
        for number, item in enumerate(self.items):
            for name, attribute in item.items():
                ((kind, value),) = attribute.items()
                for byte in range(len(_bytes_of(kind, value))):
                    yield number, name, byte

    def changed(self, place, byte_after):
        """Return these items with one byte replaced: `byte_after` is made of the byte before."""
        number, name, at = place
        item = self.items[number]
        ((kind, value),) = item[name].items()
        stored = bytearray(_bytes_of(kind, value))
        stored[at] = byte_after(stored[at])
        written = bytes(stored) if kind == "B" else stored.decode("latin-1")
        return StoredItems([*self.items[:number], {**item, name: {kind: written}}, *self.items[number + 1 :]])


def stored_lines(packed):
    """Return what a block's item holds of lines, as one who knows how they are stored would write it."""
    return {"lines": {"B": packed}, "lines_hash": {"B": hashlib.sha256(packed).digest()}}


def with_lines(item, change):
    """Return a block's item with what `change` makes of its lines, put together by line feeds."""
    lines = change(b"\n".join(unpack(item["lines"]["B"]))).split(b"\n")
    return {**item, **stored_lines(pack(lines))}


def _bytes_of(kind, value):
    return value if kind == "B" else value.encode("latin-1")
