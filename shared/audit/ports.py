"""What the audit log needs from outside. The tenant comes first everywhere (invariant 4)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from shared.audit.chain import Block, Link, UnreadableBlock
from shared.audit.events import AuditEvent
from shared.audit.messages import RecordAccesses
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId


class UnreadableBlockError(TesseraError):
    """What is stored as a block or head of an audit log is none: somebody changed it."""

    code: ClassVar[str] = "audit-block-unreadable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self, place: str) -> None:
        super().__init__(f"What is stored at {place} of the audit log cannot be read. Verify the log.")
        self.place = place


class EventRecorder(Protocol):
    """Takes events whose effect is elsewhere, or nowhere: accesses and refusals."""

    async def record(self, tenant: TenantId, events: Sequence[AuditEvent]) -> None:
        """Keep `events` until they are sealed. One that was recorded before, sealed or not, changes nothing."""
        ...


class AccessQueue(Protocol):
    """Buffers accesses and refusals for `EventRecorder`."""

    async def send(self, message: RecordAccesses) -> None:
        """Return once the queue has it. Raises: what the queue's client raises; it may have it nevertheless."""
        ...


class SealingOutcome(StrEnum):
    """What became of an attempt to seal."""

    SEALED = "sealed"
    OVERTAKEN = "overtaken"
    """The head is no longer what was read: somebody else sealed, or is just sealing."""
    STALE = "stale"
    """An event of the block is sealed already: the listing was late."""


@dataclass(frozen=True, slots=True)
class WaitingEvents:
    """How many events were seen waiting, and since when the oldest of each tenant waits."""

    events: int
    since_by_tenant: Mapping[TenantId, datetime]


class ChainEnd(Protocol):
    """How far a chain goes, as it is told twice."""

    async def head(self, tenant: TenantId) -> Link | None:
        """Return the last place of the chain, strongly consistent; None before there is one.

        Raises: UnreadableBlockError.
        """
        ...

    async def last_block(self, tenant: TenantId) -> Block | UnreadableBlock | None:
        """Return what stands behind all other blocks, strongly consistent; None before there is one."""
        ...


class SealingStore(ChainEnd, Protocol):
    """Events that wait, and the chain that they are put into."""

    async def pending(self, tenant: TenantId, limit: int, after: AuditEvent | None = None) -> list[AuditEvent]:
        """Return up to `limit` waiting events, by time, behind one that was listed; none only behind the last one.

        What waits among them and is none of the tenant's events is passed over. May be late: a new event may be
        missing, and one that was just sealed may still be listed.
        """
        ...

    async def seal(self, block: Block, events: Sequence[AuditEvent]) -> SealingOutcome:
        """Put `block` behind the head, move the head, and mark its `events` sealed: all, or nothing of it."""
        ...

    async def still_pending(self, tenant: TenantId, events: Sequence[AuditEvent]) -> list[AuditEvent]:
        """Return those of `events` that wait, strongly consistent, in their order."""
        ...

    async def waiting(self) -> WaitingEvents:
        """Return who has waiting events: some of them, where there are many. May be late, as `pending` may."""
        ...


class BlockReader(Protocol):
    """Reads what is sealed."""

    async def head(self, tenant: TenantId) -> Link | None:
        """As `ChainEnd.head`."""
        ...

    async def blocks_after(self, tenant: TenantId, seq: int, limit: int) -> list[Block]:
        """Return up to `limit` blocks whose place is behind `seq`, in the order of their places, strongly consistent.

        Nothing is verified beyond that the stored form can be read. Raises: UnreadableBlockError.
        """
        ...


class StoredLog(Protocol):
    """Reads whatever stands where the log should, for whoever verifies it."""

    async def head(self, tenant: TenantId) -> Link | None:
        """As `ChainEnd.head`."""
        ...

    async def stored_after(self, tenant: TenantId, seq: int, limit: int) -> list[Block | UnreadableBlock]:
        """As `BlockReader.blocks_after`, with what cannot be read in its place."""
        ...


class UnanchoredHeads(Protocol):
    """Which tenants' heads have moved since they were anchored."""

    async def unanchored(self) -> list[TenantId]:
        """Return tenants whose head should be anchored: some of them, where there are many."""
        ...

    async def mark_anchored(self, tenant: TenantId, head: Link) -> None:
        """Forget that the tenant's head is to be anchored, unless it has moved beyond `head`."""
        ...


class AnchorStore(Protocol):
    """Keeps places of chains where nobody can change them: where there is an object lock, not even an administrator."""

    async def anchor(self, tenant: TenantId, head: Link) -> None:
        """Keep `head` for good; doing it twice changes nothing."""
        ...


class Anchors(Protocol):
    """The places of chains that were kept."""

    def anchors_after(self, tenant: TenantId, seq: int) -> AsyncIterator[Link]:
        """Yield what is kept behind `seq`, by sequence number: deleted ones, too, as long as they exist at all."""
        ...
