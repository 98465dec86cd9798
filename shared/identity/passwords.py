"""What a password must be, and the port that hashes it (T2).

Length is what counts; beyond it only what everybody tries first is refused. Source: NIST SP 800-63B-4, §3.1.1.
"""

import unicodedata
from typing import ClassVar, Final, Protocol

from shared.identity.common_passwords import is_commonly_tried
from shared.kernel.errors import Kind, TesseraError

MIN_PASSWORD_LENGTH: Final = 12
MAX_PASSWORD_LENGTH: Final = 128

_SHORTEST_TELLING_PART: Final = 4
"""A shorter part of an address ("al", "joe") stands in too many good passwords."""


class WeakPasswordError(TesseraError):
    """The password would be guessed."""

    code: ClassVar[str] = "weak-password"
    kind: ClassVar[Kind] = Kind.INVALID


class PasswordHasher(Protocol):
    """Turns passwords into what may be stored. Slow on purpose; it never blocks the event loop."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password_hash: str, password: str) -> bool:
        """Answer whether `password` is the one that `password_hash` was made of."""
        ...

    async def verify_nobody(self, password: str) -> None:
        """Take as long as `verify` does, so that a missing account cannot be told by the time."""
        ...

    def needs_rehash(self, password_hash: str) -> bool:
        """Answer whether the hash was made with other parameters than today's."""
        ...


def spelled(password: str) -> str:
    """Return the one spelling of a password, so that it is the same on every keyboard (Unicode NFKC)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, email: str) -> None:
    """Accept a new password for the account of `email`.

    It has 12 to 128 characters, is none of those that are commonly tried, and does not repeat the address.
    Raises: WeakPasswordError.
    """
    password = spelled(password)
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise WeakPasswordError(
            f"Choose a password of {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters; a few words are fine.",
            shortest=MIN_PASSWORD_LENGTH,
            longest=MAX_PASSWORD_LENGTH,
        )
    if is_commonly_tried(password):
        raise WeakPasswordError("This password is one of those that are tried first. Choose another.")
    lowered = password.lower()
    local_part, _, domain = email.lower().partition("@")
    for part in (local_part, domain.partition(".")[0]):
        if len(part) >= _SHORTEST_TELLING_PART and part in lowered:
            raise WeakPasswordError("The password holds a part of your e-mail address. Choose another.")
