"""The audit log as it can be searched: a copy of what is sealed, behind it by moments, never ahead of it (T7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.audit.chain import Link
from shared.audit.events import AuditEvent, EventKind
from shared.kernel.ids import TenantId


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An event in its place: `line` is its canonical form, `hash` (32 bytes) covers it and all lines before it."""

    seq: int
    event: AuditEvent
    line: bytes
    hash: bytes

    @property
    def place(self) -> Link:
        return Link(self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class HashedLine:
    """A line in its canonical form, with the hash (32 bytes) that covers it and all lines before it."""

    seq: int
    line: bytes
    hash: bytes

    @property
    def place(self) -> Link:
        return Link(self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a log without gaps, by the numbers of its first and last line."""

    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are asked for; None and an empty prefix ask for all. `since` is included, `until` is not."""

    actor: str | None = None
    operation: str | None = None
    kind: EventKind | None = None
    outcome: str | None = None
    resource_prefix: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def words(self) -> tuple[str | None, ...]:
        """All of it as text, for what must belong to this filter alone."""
        moments = (None if one is None else one.isoformat() for one in (self.since, self.until))
        return (self.actor, self.operation, self.kind, self.outcome, self.resource_prefix, *moments)


class AuditReadModel(Protocol):
    """The searchable copy. The tenant comes first everywhere (invariant 4)."""

    async def last(self, tenant: TenantId) -> Link | None:
        """Return the place of the last event that was copied; None before the first."""
        ...

    async def append(self, tenant: TenantId, after: Link, events: Sequence[SealedEvent]) -> bool:
        """Add `events` behind `after`, all or none; False when the copy no longer ends there."""
        ...

    async def newest(
        self, tenant: TenantId, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> list[SealedEvent]:
        """Return up to `limit` events that fit, newest first; those with a number below `before`, if given."""
        ...

    async def stretch(self, tenant: TenantId, since: datetime | None, until: datetime) -> Stretch | None:
        """Return the shortest part of the log that holds all events of a time; None when there are none."""
        ...

    async def lines(self, tenant: TenantId, stretch: Stretch) -> list[HashedLine]:
        """Return the lines of a part of the log, in order; without those that are not there."""
        ...

    async def prepare_months(self, now: datetime) -> int:
        """Make room for the coming months' events; return how many months were made. Again does no harm."""
        ...


class UnprojectedHeads(Protocol):
    """Which tenants' logs have moved since they were copied."""

    async def unprojected(self, before: datetime) -> list[TenantId]:
        """Return tenants whose log has waited for its copy since before a moment: some of them, where many do."""
        ...

    async def mark_projected(self, tenant: TenantId, place: Link) -> None:
        """Forget that the tenant's log is to be copied, unless it has moved beyond `place`."""
        ...
