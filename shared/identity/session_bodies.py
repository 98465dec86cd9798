"""Signing in as callers ask for it and as the API answers (T2)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from shared.identity.permissions import Role
from shared.identity.security_events import SecurityEvent, SecurityEventKind
from shared.identity.session_keeping import SignedIn
from shared.identity.tokens import TENANT_PATTERN
from shared.identity.users import EmailAddress
from shared.kernel.bodies import Description, Request
from shared.kernel.ids import TenantId, UserId
from shared.kernel.pages import PageToken

Password = Annotated[SecretStr, Field(min_length=1, max_length=512)]
"""Any password that somebody may try; what a new one must be is said by `check_password`."""

TenantName = Annotated[TenantId, StringConstraints(pattern=f"^{TENANT_PATTERN.pattern}$")]
RefreshTokenText = Annotated[SecretStr, Field(min_length=1, max_length=512)]


class SignInRequest(Request):
    """Whoever belongs to several organisations names one as `tenant`."""

    email: EmailAddress
    password: Password
    tenant: TenantName | None = None


class RefreshRequest(Request):
    """A refresh token, which is good once."""

    refresh_token: RefreshTokenText


class EndSessionRequest(Request):
    """A refresh token of the session that is to end."""

    refresh_token: RefreshTokenText


class ChangePasswordRequest(Request):
    """The present password and the one that is to take its place."""

    present_password: Password
    new_password: Password


class SessionTokens(Description):
    """An access token for `expires_in` seconds, and the refresh token for the next one."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (a kind of token)
    expires_in: int
    refresh_token: str
    refresh_expires_at: datetime
    tenant: TenantId
    user: UserId
    role: Role

    @classmethod
    def of(cls, signed_in: SignedIn) -> "SessionTokens":
        return cls(
            access_token=signed_in.access.token,
            expires_in=signed_in.access.lifetime_s,
            refresh_token=signed_in.refresh_token,
            refresh_expires_at=signed_in.refresh_expires_at,
            tenant=signed_in.tenant,
            user=signed_in.user,
            role=signed_in.role,
        )


class TokenKey(Description):
    """A public key (RFC 7517)."""

    kty: str
    use: str
    alg: str
    kid: str
    n: str
    e: str


class TokenKeys(Description):
    """The keys by which access tokens are verified (RFC 7517 §5)."""

    keys: list[TokenKey]


class SecurityEventDescription(Description):
    """Something that happened around credentials: whom it concerns, and who did it if that is known."""

    id: str
    kind: SecurityEventKind
    at: datetime
    user: UserId | None
    by: UserId | None
    facts: dict[str, str]

    @classmethod
    def of(cls, event: SecurityEvent) -> "SecurityEventDescription":
        return cls(
            id=event.event_id, kind=event.kind, at=event.at, user=event.user, by=event.by, facts=dict(event.facts)
        )


class SecurityEventList(Description):
    """One page, newest first; with `next_page_token` there may be more."""

    items: list[SecurityEventDescription]
    next_page_token: PageToken | None
