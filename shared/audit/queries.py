"""Searching the audit log, newest first, page by page (T7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.audit.events import EventKind
from shared.audit.read_model import AuditFilter, AuditReadModel, SealedEvent
from shared.kernel.bodies import Description
from shared.kernel.ids import TenantId
from shared.kernel.pages import InvalidPageTokenError, Page, PageToken, page_token, read_page_token

LIST: Final = "audit-events"


class AuditEventDescription(Description):
    """One line of the audit log. `hash` (hexadecimal) covers it and all lines before it."""

    seq: int
    event_id: str
    at: datetime
    actor: str
    role: str | None
    key_id: str | None
    operation: str
    resource: str
    kind: EventKind
    outcome: str
    ip: str | None
    request_id: str
    step: int
    hash: str

    @classmethod
    def of(cls, sealed: SealedEvent) -> "AuditEventDescription":
        event = sealed.event
        return cls(
            seq=sealed.seq,
            event_id=event.event_id,
            at=event.at,
            actor=event.actor,
            role=event.role,
            key_id=event.key_id,
            operation=event.operation,
            resource=event.resource,
            kind=event.kind,
            outcome=event.outcome,
            ip=event.ip,
            request_id=event.request_id,
            step=event.step,
            hash=sealed.hash.hex(),
        )


class AuditEventList(Description):
    """Some lines of the audit log, newest first."""

    items: list[AuditEventDescription]
    next_page_token: PageToken | None = None


@dataclass(frozen=True, slots=True)
class AuditQueries:
    """Asks the searchable copy of the log."""

    read_model: AuditReadModel

    async def page(
        self, tenant: TenantId, wanted: AuditFilter, limit: int, token: PageToken | None
    ) -> Page[SealedEvent]:
        """Return up to `limit` events that fit, newest first, from where `token` says.

        Raises: InvalidPageTokenError, also for a token of another filter; DatabaseUnavailableError.
        """
        of_list = (tenant, LIST, *wanted.words)
        before = None if token is None else sequence_of(read_page_token(token, *of_list))
        found = await self.read_model.newest(tenant, wanted, limit + 1, before)
        if len(found) <= limit:
            return Page(found, None)
        shown = found[:limit]
        return Page(shown, page_token(str(shown[-1].seq), *of_list))


def sequence_of(place: str) -> int:
    """Return the number in a page token. Raises: InvalidPageTokenError."""
    if not (place.isascii() and place.isdigit() and len(place) < 19):
        raise InvalidPageTokenError("The page token belongs to another list. Start again without it.")
    return int(place)
