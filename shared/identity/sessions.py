"""Sessions: families of refresh tokens, of which one is good at a time (T2).

Each use of a refresh token replaces it. Whoever sends the one that was just replaced again, within `RETRY_WINDOW`, gets
the same successor: answers get lost. Any other use of an old one means that two parties hold the family: it ends, and
the organisation's owners can read of it. Source: RFC 9700 §4.14.2.

What is stored cannot be turned into a token. A secret has 256 random bits and only its SHA-256 is kept. The successor
of a secret is HMAC-SHA256 of that secret under a fresh key that is stored: to compute it takes the secret itself, which
only its holder has, and the key of exactly that step, which is overwritten by the next one. The proof is a second,
constant part of all tokens of a family; it tells a token that was good once from one that somebody made up, so that
nobody can end a session who never held one of its tokens.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from shared.identity.security_events import SecurityEvent
from shared.identity.tokens import TENANT_PATTERN
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import SessionId, TenantId, UserId

RETRY_WINDOW: Final = timedelta(seconds=10)
IDLE_LIFETIME: Final = timedelta(days=30)
"""A session ends when it was not refreshed for so long."""
LONGEST_LIFETIME: Final = timedelta(days=90)
"""However often it is refreshed, somebody signs in again after so long."""

_TOKEN: Final = re.compile(
    rf"trt_({TENANT_PATTERN.pattern})\.([0-9a-z]{{26}})\.([0-9a-z]{{26}})\.([A-Za-z0-9_-]{{22}})([A-Za-z0-9_-]{{43}})"
)
_PROOF_BYTES: Final = 16
_SECRET_BYTES: Final = 32


class InvalidRefreshTokenError(TesseraError):
    """The refresh token is refused. The message is always the same: a reason would help only a thief."""

    code: ClassVar[str] = "invalid-refresh-token"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("The session has ended. Sign in again.")


class SessionsBusyError(TesseraError):
    """So many changes of one session or user met that this one was not made."""

    code: ClassVar[str] = "sessions-busy"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    retry_after_s: ClassVar[float] = 1

    def __init__(self) -> None:
        super().__init__("Too many requests for one session at once. Try again in a second.")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`trt_<tenant>.<user>.<session>.<proof and secret>`: three parts lead to the record, the last opens it."""

    tenant: TenantId
    user: UserId
    session: SessionId
    proof: str
    secret: str

    def __str__(self) -> str:
        return f"trt_{self.tenant}.{_digits(self.user)}.{_digits(self.session)}.{self.proof}{self.secret}"

    def __repr__(self) -> str:
        return f"RefreshToken(trt_{self.tenant}.{_digits(self.user)}.{_digits(self.session)}.…)"


class Standing(StrEnum):
    """What a token is to its session."""

    CURRENT = "current"
    REPLACED = "replaced"
    """It was replaced a moment ago: the answer with its successor may have been lost."""
    REUSED = "reused"
    """It was good once: somebody else may hold the family."""
    STRANGER = "stranger"
    """It never belonged to the session, or the session has ended."""


@dataclass(frozen=True, slots=True)
class Session:
    """A family of refresh tokens. Hashes are SHA-256 in hex; `step_key` (hex) led from the previous to the current.

    `password_version` is the user's as of signing in; `generation` counts the tokens from 1.
    """

    tenant: TenantId
    user: UserId
    session: SessionId
    created_at: datetime
    password_version: int
    proof_hash: str
    current_hash: str
    generation: int = 1
    previous_hash: str | None = None
    step_key: str | None = field(default=None, repr=False)
    rotated_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        return min((self.rotated_at or self.created_at) + IDLE_LIFETIME, self.created_at + LONGEST_LIFETIME)

    def is_live(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    def standing(self, token: RefreshToken, now: datetime) -> Standing:
        """Tell what `token` is to this session at `now`."""
        if not self.is_live(now) or not hmac.compare_digest(_hash(token.proof), self.proof_hash):
            return Standing.STRANGER
        presented = _hash(token.secret)
        if hmac.compare_digest(presented, self.current_hash):
            return Standing.CURRENT
        if (
            self.previous_hash is not None
            and hmac.compare_digest(presented, self.previous_hash)
            and self.rotated_at is not None
            and now - self.rotated_at <= RETRY_WINDOW
        ):
            return Standing.REPLACED
        return Standing.REUSED

    def rotate(self, token: RefreshToken, now: datetime) -> "Session":
        """Return the session after its current token was used: the successor is `successor_of(token)`."""
        step_key = secrets.token_bytes(_SECRET_BYTES)
        return replace(
            self,
            previous_hash=self.current_hash,
            current_hash=_hash(_successor(step_key, token.secret)),
            step_key=step_key.hex(),
            rotated_at=now,
            generation=self.generation + 1,
        )

    def successor_of(self, token: RefreshToken) -> RefreshToken:
        """Return what replaced `token`, which must be the previous one."""
        if self.step_key is None:
            raise ValueError("Nothing was replaced yet.")
        return replace(token, secret=_successor(bytes.fromhex(self.step_key), token.secret))


def new_session(
    tenant: TenantId, user: UserId, session: SessionId, password_version: int, now: datetime
) -> tuple[Session, RefreshToken]:
    """Return a fresh session and its first token, which is shown to its user and never stored."""
    proof, secret = secrets.token_urlsafe(_PROOF_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    token = RefreshToken(tenant, user, session, proof, secret)
    return Session(tenant, user, session, now, password_version, _hash(proof), _hash(secret)), token


def read_refresh_token(text: str) -> RefreshToken:
    """Take a refresh token apart. Raises: InvalidRefreshTokenError for anything that has not its form."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise InvalidRefreshTokenError
    tenant, user, session, proof, secret = found.groups()
    return RefreshToken(TenantId(tenant), UserId(f"usr_{user}"), SessionId(f"ses_{session}"), proof, secret)


class SessionStore(Protocol):
    """Sessions by tenant, user and id; reads are strongly consistent, writes are conditional."""

    async def add(self, session: Session) -> bool:
        """Store a new session; False, and nothing stored, when the user's password is no longer of its version."""
        ...

    async def session(self, tenant: TenantId, user: UserId, session: SessionId) -> Session | None: ...

    async def sessions_of(self, tenant: TenantId, user: UserId) -> list[Session]: ...

    async def replace(self, before: Session, after: Session) -> bool:
        """Write `after` if `before` is still what is stored (its generation, not revoked); else False."""
        ...

    async def revoke(self, session: Session, now: datetime, event: SecurityEvent | None = None) -> bool:
        """End the session whatever its generation; False when it had ended before or is not there.

        `event` is kept in the same write: it cannot get lost, and is there once.
        """
        ...


class Sessions(Protocol):
    """What others ask of sessions."""

    async def end_all(self, tenant: TenantId, user: UserId) -> None:
        """End all sessions of the user in that organisation; doing it twice changes nothing."""
        ...


def _successor(step_key: bytes, secret: str) -> str:
    return urlsafe_b64encode(hmac.digest(step_key, secret.encode(), "sha256")).rstrip(b"=").decode()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _digits(identifier: str) -> str:
    return identifier.rpartition("_")[2]
