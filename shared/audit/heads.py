"""Where a chain goes on: behind its head, unless its last block proves that somebody changed the head (T7)."""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Final

from shared.audit.chain import Block, Link, UnreadableBlock, genesis, line_hashes
from shared.audit.ports import ChainEnd
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId

_LOOKS: Final = 5
"""A head and a block that are just written may be seen one after the other; a changed head stays as it is."""
_PAUSE_S: Final = 0.02


class DamagedHeadError(TesseraError):
    """The head of an audit log is not what was written: somebody changed it."""

    code: ClassVar[str] = "audit-head-damaged"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(
            "The head of this audit log is not that of its last block. Verify the log, then mend its head."
        )


class HeadReader:
    """Reads heads, and believes none that the last block contradicts."""

    def __init__(self, chain: ChainEnd, jitter: Callable[[], float]) -> None:
        self._chain = chain
        self._jitter = jitter

    async def place(self, tenant: TenantId) -> Link:
        """Return the place behind which the next line goes. Raises: DamagedHeadError, UnreadableBlockError."""
        for look in range(_LOOKS):
            if look:
                await asyncio.sleep(_PAUSE_S * 2**look * self._jitter())
            # In this order: a block that is sealed in between makes the head the newer one, which contradicts nothing.
            last = await self._chain.last_block(tenant)
            head = await self._chain.head(tenant)
            if not contradicts(last, head):
                return head or genesis(tenant)
        raise DamagedHeadError


def contradicts(last: Block | UnreadableBlock | None, head: Link | None) -> bool:
    """Return whether the last block proves `head` wrong.

    It does not where the head tells of more: then it is the block that is no longer the last one, which verification
    finds, and later lines go on. A block that is damaged itself proves no more than where it stands.
    """
    if last is None or head is None:
        return last is not None
    if isinstance(last, UnreadableBlock) or not _is_whole(last):
        return last.first_seq is not None and head.seq < last.first_seq
    return head.seq < last.last_seq or (head.seq == last.last_seq and head.hash != last.last_hash)


def _is_whole(block: Block) -> bool:
    hashes = line_hashes(block.previous_hash, block.lines)
    return bool(hashes) and Link(block.first_seq + len(hashes) - 1, hashes[-1]) == block.end
