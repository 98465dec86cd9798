"""Copying the sealed log to where it can be searched: in order, each event once, whatever was missed before (T7).

Whoever calls only says "look again": what is copied follows from where the copy ends, so a lost, doubled or late call
changes nothing. Nothing is copied that does not continue the chain.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from shared.audit.chain import Block, Link, genesis, line_hashes
from shared.audit.events import read_line
from shared.audit.ports import BlockReader
from shared.audit.read_model import AuditReadModel, SealedEvent, UnprojectedHeads
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant, admitted

BLOCKS_AT_ONCE: Final = 10
LEFT_OVER_AFTER: Final = timedelta(minutes=2)
REMEMBERED: Final = 10_000
"""Tenants of which a process knows how far their copies are: they only save a look."""


class BrokenChainError(TesseraError):
    """A block does not continue the copy: the log, or the copy of it, was changed."""

    code: ClassVar[str] = "audit-chain-broken"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self, seq: int) -> None:
        super().__init__(f"The audit log does not continue behind its line {seq - 1}. Verify the log.", seq=seq)


@dataclass(frozen=True, slots=True)
class AuditProjection:
    """Brings the searchable copies up to their logs."""

    blocks: BlockReader
    read_model: AuditReadModel
    heads: UnprojectedHeads
    _known: dict[AdmittedTenant, int] = field(default_factory=dict)

    async def tenants_left_over(self, now: datetime) -> list[TenantId]:
        """Return tenants whose log has waited for its copy longer than the stream takes."""
        return await self.heads.unprojected(now - LEFT_OVER_AFTER)

    async def catch_up(self, tenant: TenantId, first_seq: int = 0) -> int:
        """Copy whatever is sealed and not copied; return how many events that were.

        `first_seq` is where a block begins that was seen: one that is known to be copied costs nothing.
        Raises: BrokenChainError, UnreadableBlockError, DatabaseUnavailableError; what was copied stays.
        """
        own = admitted(tenant)
        if 0 < first_seq <= self._known.get(own, 0):
            return 0
        copied = 0
        place = await self.read_model.last(tenant) or genesis(tenant)
        while blocks := await self.blocks.blocks_after(tenant, place.seq, BLOCKS_AT_ONCE):
            events = continued(place, blocks)
            if await self.read_model.append(tenant, place, events):
                copied += len(events)
                place = events[-1].place
            else:  # somebody else copies, too: go on from where that came to
                place = await self.read_model.last(tenant) or genesis(tenant)
        self._remember(own, place.seq)
        if place.seq:
            await self.heads.mark_projected(tenant, place)
        return copied

    def _remember(self, tenant: AdmittedTenant, seq: int) -> None:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[tenant] = seq


def continued(place: Link, blocks: list[Block]) -> list[SealedEvent]:
    """Return the events of consecutive `blocks`, each in its place behind `place`. Raises: BrokenChainError."""
    events: list[SealedEvent] = []
    for block in blocks:
        if block.first_seq != place.seq + 1 or block.previous_hash != place.hash or not block.lines:
            raise BrokenChainError(place.seq + 1)
        hashes = line_hashes(place.hash, block.lines)
        for seq, (line, line_hash) in enumerate(zip(block.lines, hashes, strict=True), start=block.first_seq):
            events.append(_sealed(block.tenant, seq, line, line_hash))
        place = events[-1].place
        if place != block.end:
            raise BrokenChainError(block.first_seq)
    return events


def _sealed(tenant: TenantId, seq: int, line: bytes, line_hash: bytes) -> SealedEvent:
    try:
        written, event = read_line(line)
    except ValueError as error:
        raise BrokenChainError(seq) from error
    if written != seq or event.tenant != tenant:
        raise BrokenChainError(seq)
    return SealedEvent(seq, event, line, line_hash)
