"""Issuing access tokens with the key that signs now (T2). Source: RFC 9068."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.identity.permissions import Role
from shared.identity.signing_keys import (
    RING_STALE_FOR,
    KeyRing,
    KeySafe,
    NoSigningKeyError,
    PrivateKeys,
    PublishedKeys,
    SigningKeysUnavailableError,
)
from shared.identity.tokens import MAX_LIFETIME_S
from shared.kernel.clock import Clock
from shared.kernel.ids import SessionId, TenantId, UserId

_RING_FRESH_FOR: Final = timedelta(minutes=5)
_LOOK_AGAIN_AFTER: Final = timedelta(seconds=5)
"""Least time between two looks for a first key that is not there yet."""


class TokenSigner(Protocol):
    """Writes a signed token."""

    def sign(self, claims: Mapping[str, str | int], key_id: str, private_key: str) -> str:
        """Return a compact JWS (RS256, `typ: at+jwt`) of `claims`; `private_key` is PKCS 8 in PEM."""
        ...


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and how long it is good."""

    token: str = field(repr=False)
    expires_at: datetime
    lifetime_s: int


@dataclass(frozen=True, slots=True)
class _Known:
    ring: KeyRing
    private: PrivateKeys
    read_at: datetime


class AccessTokens:
    """Issues access tokens; it remembers the ring between invocations, for minutes."""

    def __init__(
        self,
        published: PublishedKeys,
        safe: KeySafe,
        signer: TokenSigner,
        clock: Clock,
        *,
        issuer: str,
        audience: str,
        lifetime_s: int = MAX_LIFETIME_S,
    ) -> None:
        if not 0 < lifetime_s <= MAX_LIFETIME_S:
            raise ValueError(f"A token lives 1 to {MAX_LIFETIME_S} seconds.")
        self._published = published
        self._safe = safe
        self._signer = signer
        self._clock = clock
        self._issuer = issuer
        self._audience = audience
        self._lifetime_s = lifetime_s
        self._known: _Known | None = None

    async def issue(self, tenant: TenantId, user: UserId, role: Role, session: SessionId) -> AccessToken:
        """Return a token for `user` as `role` of `tenant`, made in `session`.

        Raises: NoSigningKeyError, SigningKeysUnavailableError.
        """
        now = self._clock.now()
        known = await self._keys(now)
        key = known.ring.signer(known.private, now)
        issued = int(now.timestamp())
        claims: dict[str, str | int] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user,
            "jti": secrets.token_urlsafe(16),
            "iat": issued,
            "exp": issued + self._lifetime_s,
            "tenant": tenant,
            "role": role.value,
            "sid": session,
        }
        token = await asyncio.to_thread(self._signer.sign, claims, key.key_id, known.private[key.key_id])
        return AccessToken(token, now + timedelta(seconds=self._lifetime_s), self._lifetime_s)

    async def _keys(self, now: datetime) -> _Known:
        known = self._known
        if known is not None and now - known.read_at < self._patience(known, now):
            return known
        try:
            # The safe first: a ring that is newer than the private keys only knows more keys than can sign.
            private = await self._safe.private_keys()
            self._known = _Known(await self._published.ring(), private, now)
        except SigningKeysUnavailableError:
            if known is None or now - known.read_at > RING_STALE_FOR:
                raise
            return known
        return self._known

    @staticmethod
    def _patience(known: _Known, now: datetime) -> timedelta:
        try:
            known.ring.signer(known.private, now)
        except NoSigningKeyError:
            return _LOOK_AGAIN_AFTER
        return _RING_FRESH_FOR
