"""What happened around credentials that the owners of an organisation should be able to read (T2, T3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from shared.kernel.ids import TenantId, UserId, new_id
from shared.kernel.pages import Page, PageToken, collect_page

KEPT_FOR: Final = timedelta(days=400)


class SecurityEventKind(StrEnum):
    """Stable names; they are part of the API."""

    SIGN_IN_FAILED = "sign-in-failed"
    SIGN_IN_LOCKED = "sign-in-locked"
    REFRESH_TOKEN_REUSED = "refresh-token-reused"  # noqa: S105 (a name)
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 (a name)
    API_KEY_CREATED = "api-key-created"
    API_KEY_REVOKED = "api-key-revoked"
    ROLE_CHANGED = "role-changed"
    MEMBER_REMOVED = "member-removed"
    OWNERSHIP_TRANSFERRED = "ownership-transferred"
    IDENTITY_PROVIDER_CREATED = "identity-provider-created"
    IDENTITY_PROVIDER_DELETED = "identity-provider-deleted"
    EXTERNAL_SIGN_IN_REFUSED = "external-sign-in-refused"


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One thing that happened. `user` is whom it concerns, `by` who did it, None for nobody who was recognised.

    `facts` are short strings that help to judge it: never a secret, a password or a token.
    """

    event_id: str
    kind: SecurityEventKind
    at: datetime
    user: UserId | None = None
    by: UserId | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def new_event(
    kind: SecurityEventKind, now: datetime, *, user: UserId | None = None, by: UserId | None = None, **facts: str
) -> SecurityEvent:
    """Return an event of this moment; its id sorts by time."""
    return SecurityEvent(new_id("evt", now), kind, now, user, by, facts)


class SecurityEvents(Protocol):
    """The events of organisations, kept for 400 days."""

    async def record(self, tenant: TenantId, event: SecurityEvent) -> None:
        """Keep `event`; doing it twice keeps it once."""
        ...

    async def newest(self, tenant: TenantId, limit: int, before: str | None = None) -> list[SecurityEvent]:
        """Return up to `limit` events, newest first; those older than the event with the id `before`, if given."""
        ...


async def event_page(
    events: SecurityEvents, tenant: TenantId, limit: int, token: PageToken | None
) -> Page[SecurityEvent]:
    """Return up to `limit` events, newest first, from where `token` says. Raises: InvalidPageTokenError."""

    async def read(most: int, after: str | None) -> list[SecurityEvent]:
        return await events.newest(tenant, most, after)

    return await collect_page(
        read, lambda event: event.event_id, lambda _: True, limit, token, (tenant, "security-events")
    )
