"""Which key signs access tokens, and which keys are published, as functions of time (T2).

A key is published, begins to sign `PUBLISHED_AHEAD` later, signs until its successor begins, and stays published until
the last token that it signed has expired. Everybody who verifies looks at the published keys at least every ten
minutes, everybody who signs at least every `RING_STALE_FOR`: so at every moment each key that may sign is known to
all who verify. The very first key signs at once, for there is nobody yet who could not know it.

    published_at ── 20 min ── signs_from ────── 30 days ────── successor's signs_from ── 1 h 15 min ── removed
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import ClassVar, Final, Protocol

from shared.identity.tokens import MAX_LIFETIME_S
from shared.kernel.errors import Kind, TesseraError

PUBLISHED_AHEAD: Final = timedelta(minutes=20)
SIGNS_FOR: Final = timedelta(days=30)
STAYS_PUBLISHED_FOR: Final = timedelta(seconds=MAX_LIFETIME_S) + timedelta(minutes=15)
"""After the successor began: a token's whole life, and clocks that differ."""
RING_STALE_FOR: Final = timedelta(minutes=15)
"""How old a copy of the ring may be that somebody signs by; shorter than `PUBLISHED_AHEAD`."""
CHANGE_TAKES: Final = timedelta(seconds=60)
"""Longer than any run of a rotation lives. A change that began less than this ago may still be under way."""

PrivateKeys = Mapping[str, str]
"""Private keys (PKCS 8, PEM) by key id."""


class NoSigningKeyError(TesseraError):
    """No key signs yet: a schedule makes the first one within minutes of a deployment."""

    code: ClassVar[str] = "no-signing-key"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    retry_after_s: ClassVar[float] = 60

    def __init__(self) -> None:
        super().__init__("Sign-in is being set up. Try again in a few minutes.")


class SigningKeysUnavailableError(TesseraError):
    """The signing keys are out of reach, so no token can be issued."""

    code: ClassVar[str] = "signing-keys-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    retry_after_s: ClassVar[float] = 5

    def __init__(self) -> None:
        super().__init__("Sign-in is not possible at the moment. Try again in a few seconds.")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The public half of a key. `modulus` and `exponent` are the JWK members `n` and `e`."""

    key_id: str
    modulus: str
    exponent: str
    published_at: datetime
    signs_from: datetime

    def to_jwk(self) -> dict[str, str]:
        """Return the key as a JSON web key (RFC 7517)."""
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id, "n": self.modulus, "e": self.exponent}


@dataclass(frozen=True, slots=True)
class NewKey:
    """A pair that was just made."""

    key_id: str
    modulus: str
    exponent: str
    private: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All published keys, oldest first. `revision` counts the changes; 0 means there was none yet."""

    keys: tuple[SigningKey, ...] = ()
    changed_at: datetime | None = None
    revision: int = 0

    def signer(self, private: Collection[str], now: datetime) -> SigningKey:
        """Return the key that signs at `now`: the newest that has begun and whose private half is among `private`.

        Raises: NoSigningKeyError.
        """
        begun = [key for key in self._usable(private) if key.signs_from <= now]
        if not begun:
            raise NoSigningKeyError
        return begun[-1]

    def to_jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return all keys as a JWKS document. Raises: NoSigningKeyError: nobody should remember that there are none."""
        if not self.keys:
            raise NoSigningKeyError
        return {"keys": [key.to_jwk() for key in self.keys]}

    def is_changing(self, now: datetime) -> bool:
        """Answer whether another run may be between publishing a key and storing its private half."""
        return self.changed_at is not None and now < self.changed_at + CHANGE_TAKES

    def is_due(self, private: Collection[str], now: datetime) -> bool:
        """Answer whether a key is to be made at `now`: there is none, or the newest nears its end."""
        usable = self._usable(private)
        return not usable or now >= usable[-1].signs_from + SIGNS_FOR - PUBLISHED_AHEAD

    def without_finished(self, private: Collection[str], now: datetime) -> "KeyRing":
        """Return the ring without keys whose tokens have all expired, and without those that nobody can sign with.

        A key without its private half never signed (its maker died halfway), or is to be disowned: emptying the
        secret is how one withdraws all keys at once.
        """
        usable = self._usable(private)
        finished = {
            key.key_id for key, successor in pairwise(usable) if successor.signs_from + STAYS_PUBLISHED_FOR <= now
        }
        return replace(self, keys=tuple(key for key in usable if key.key_id not in finished))

    def with_key(self, made: NewKey, now: datetime) -> "KeyRing":
        """Return the ring with a key that is published at `now`; the first one signs at once."""
        signs_from = now + PUBLISHED_AHEAD if self.keys else now
        key = SigningKey(made.key_id, made.modulus, made.exponent, now, signs_from)
        return replace(self, keys=(*self.keys, key))

    def _usable(self, private: Collection[str]) -> list[SigningKey]:
        return [key for key in sorted(self.keys, key=lambda key: key.signs_from) if key.key_id in private]


class PublishedKeys(Protocol):
    """The ring, where everybody who verifies finds it; reads are strongly consistent."""

    async def ring(self) -> KeyRing:
        """Raises: SigningKeysUnavailableError."""
        ...

    async def publish(self, ring: KeyRing, now: datetime) -> bool:
        """Store `ring` as changed at `now`; False, and nothing stored, when another revision is stored by now."""
        ...


class KeySafe(Protocol):
    """The private halves."""

    async def private_keys(self) -> PrivateKeys:
        """Return all that are stored, nothing when nothing was ever stored. Raises: SigningKeysUnavailableError."""
        ...

    async def replace(self, keys: PrivateKeys) -> None: ...


class KeyMaker(Protocol):
    """Makes key pairs: slow, and never in the event loop."""

    async def make(self) -> NewKey: ...
