"""Mending the head of an audit log, without which nothing is sealed, and never so that anything is hidden by it (T7).

The head is written anew from the last block, once all that is kept apart from it agrees: the chain with itself from its
first line, the chain with every anchor, and the lines that no anchor covers yet with the marks that their events left
when they were sealed. Whatever disagrees is a finding, and then nothing is mended.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from shared.audit.acts import current_act
from shared.audit.chain import Block, Link, UnreadableBlock, genesis
from shared.audit.events import AuditEvent, AuditEventId, read_line
from shared.audit.heads import contradicts
from shared.audit.log_verification import LogVerification
from shared.audit.ports import Anchors, ChainEnd, StoredLog, UnreadableBlockError
from shared.audit.verification import UNKNOWN, Fault, Finding
from shared.kernel.clock import Clock
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId

RESOURCE: Final = "audit-log/head"
"""What the event of a mending names."""

_AT_ONCE: Final = 200
"""Blocks that are read together."""

_LATE: Final = timedelta(hours=1)
"""An event is seldom sealed so much later than others that are younger."""


class AuditLogTooLongError(TesseraError):
    """A log has more lines than one call verifies, and its head is mended only once all of them are."""

    code: ClassVar[str] = "audit-log-too-long"
    kind: ClassVar[Kind] = Kind.LIMITED

    def __init__(self, seq: int) -> None:
        super().__init__(f"The log goes on behind line {seq}, farther than one call verifies.", seq=seq)


class MendingOutcome(StrEnum):
    """What became of the head."""

    SOUND = "sound"
    """The last block does not contradict it, so nothing was done."""
    MENDED = "mended"
    REFUSED = "refused"
    """Something else disagrees, so nothing was done: see the findings."""


@dataclass(frozen=True, slots=True)
class Mending:
    """What became of the head, and what kept it from being mended. `end` is where the log ends."""

    outcome: MendingOutcome
    end: Link
    findings: tuple[Finding, ...] = ()


class MendingStore(ChainEnd, StoredLog, Protocol):
    """A stored log whose head may be written."""

    def marks_since(self, tenant: TenantId, since: datetime | None) -> AsyncIterator[tuple[int, AuditEventId]]:
        """Yield line and event of what was marked as sealed, of all events since a moment (None: of all there are)."""
        ...

    async def put_head(self, tenant: TenantId, end: Link, event: AuditEvent) -> bool:
        """Write `end` as the head, and record `event`, unless something is sealed behind `end` by now."""
        ...


class HeadMending:
    """Mends heads."""

    def __init__(self, store: MendingStore, anchors: Anchors, clock: Clock) -> None:
        self._store = store
        self._anchors = anchors
        self._clock = clock

    async def mend(self, tenant: TenantId, most_parts: int) -> Mending:
        """Write a tenant's head anew if the last block contradicts it and all else agrees.

        A log of up to `most_parts` parts of a verification is looked at. Raises: AuditLogTooLongError;
        UnreadableBlockError for what somebody changes meanwhile.
        """
        looked = await self._look(tenant)
        if looked is not None:
            return looked
        verified = await LogVerification(_WithoutHead(self._store), self._anchors).verify_all(tenant, None, most_parts)
        findings, end = verified.findings, verified.end
        if not findings and verified.following is not None:
            raise AuditLogTooLongError(end.seq)
        findings = findings or tuple(await self._unmarked(tenant, end))
        if findings:
            return Mending(MendingOutcome.REFUSED, end, findings)
        event = current_act().done(tenant, RESOURCE, self._clock.now())
        # Somebody may have mended it at the same time, and sealed more: then it is sound.
        is_written = await self._store.put_head(tenant, end, event)
        return Mending(MendingOutcome.MENDED if is_written else MendingOutcome.SOUND, end)

    async def _look(self, tenant: TenantId) -> Mending | None:
        """Return that there is nothing to mend; None when the last block contradicts the head."""
        last = await self._store.last_block(tenant)
        try:
            head = await self._store.head(tenant)
        except UnreadableBlockError:
            return None
        if contradicts(last, head):
            return None
        end = head or genesis(tenant)
        last = await self._store.last_block(tenant)  # once more: somebody may have sealed before the head was read
        reached = 0 if last is None else last.end.seq if isinstance(last, Block) else end.seq
        if reached < end.seq:
            gone = Finding(Fault.TRUNCATED, reached + 1, end.seq, "The head tells of these lines, and they are gone.")
            return Mending(MendingOutcome.REFUSED, end, (gone,))
        return Mending(MendingOutcome.SOUND, end)

    async def _unmarked(self, tenant: TenantId, end: Link) -> list[Finding]:
        """Compare the lines behind the newest anchor with the marks of their events, both ways."""
        anchored = 0
        async for anchor in self._anchors.anchors_after(tenant, 0):
            anchored = anchor.seq
        events = await self._events_behind(tenant, anchored)
        since = min((event.at for event in events.values() if event is not None), default=None)
        lines = {seq: event and event.event_id for seq, event in events.items() if seq > anchored}
        marks = {seq: told async for seq, told in self._store.marks_since(tenant, since and since - _LATE)}
        gone = sorted(seq for seq in marks if seq > max(anchored, end.seq))
        strange = sorted(seq for seq, event_id in lines.items() if marks.get(seq) != event_id)
        return [
            *(Finding(Fault.TRUNCATED, seq, seq, "An event was sealed as this line, which is gone.") for seq in gone),
            *(Finding(Fault.BEYOND_HEAD, seq, seq, "No event was sealed as this line.") for seq in strange),
        ]

    async def _events_behind(self, tenant: TenantId, anchored: int) -> dict[int, AuditEvent | None]:
        """Return the events of the last block, and of all behind a line; None for what is no event.

        Raises: UnreadableBlockError for blocks that somebody changed since they were verified.
        """
        found = dict(_events_of(await self._store.last_block(tenant)))
        place = anchored
        while blocks := await self._store.stored_after(tenant, place, _AT_ONCE):
            events = {seq: event for block in blocks for seq, event in _events_of(block)}
            if not events:
                raise UnreadableBlockError(f"line {place + 1}")
            found |= events
            place = max(events)
        return found


class _WithoutHead:
    """Implements `StoredLog`: a log of which the last block says where it ends, for its head is what is doubted."""

    def __init__(self, store: MendingStore) -> None:
        self._store = store

    async def head(self, tenant: TenantId) -> Link | None:
        last = await self._store.last_block(tenant)
        if isinstance(last, UnreadableBlock):
            return Link(last.first_seq or 0, UNKNOWN)
        return None if last is None else last.end

    async def stored_after(self, tenant: TenantId, seq: int, limit: int) -> list[Block | UnreadableBlock]:
        return await self._store.stored_after(tenant, seq, limit)


def _events_of(block: Block | UnreadableBlock | None) -> Iterator[tuple[int, AuditEvent | None]]:
    lines = block.lines if isinstance(block, Block) else ()
    for seq, line in enumerate(lines, start=(block and block.first_seq) or 0):
        try:
            yield seq, read_line(line)[1]
        except ValueError:
            yield seq, None
