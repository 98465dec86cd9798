"""How many wrong passwords an address gets before it has to wait (T2).

A guess is counted before it is checked, and a right one clears the count: so of many guesses at once no more are
checked than of many in a row. Addresses that nobody has are counted alike, for the waiting tells nothing then.
"""

import asyncio
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

from shared.kernel.clock import Clock
from shared.kernel.errors import Kind, TesseraError

FREE_GUESSES: Final = 5
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
FORGOTTEN_AFTER: Final = timedelta(hours=24)

_TRIES: Final = 3 * FREE_GUESSES
_PAUSE_S: Final = 0.01


class SignInLockedError(TesseraError):
    """Too many wrong passwords for one address; nothing is checked until the time is over."""

    code: ClassVar[str] = "sign-in-locked"
    kind: ClassVar[Kind] = Kind.LIMITED

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("Too many wrong passwords for this address. Wait before the next try.")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Guesses:
    """Wrong passwords for one address since the last right one. `revision` 0 means that none is stored."""

    count: int = 0
    locked_until: datetime | None = None
    last_at: datetime | None = None
    revision: int = 0

    def with_one_more(self, now: datetime) -> "Guesses":
        """Return the count with a guess that is about to be checked.

        From the fifth on each is followed by a wait: a minute, two, four, at most an hour.
        Raises: SignInLockedError during a wait.
        """
        if self.locked_until is not None and now < self.locked_until:
            raise SignInLockedError((self.locked_until - now).total_seconds())
        remembered = self.last_at is not None and now < self.last_at + FORGOTTEN_AFTER
        count = (self.count if remembered else 0) + 1
        return replace(self, count=count, locked_until=_locked_until(count, now), last_at=now)

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


def _locked_until(count: int, now: datetime) -> datetime | None:
    if count < FREE_GUESSES:
        return None
    doublings: int = 1 << min(count - FREE_GUESSES, 10)
    return now + min(FIRST_WAIT * doublings, LONGEST_WAIT)


class GuessStore(Protocol):
    """Guesses by address; reads are strongly consistent."""

    async def guesses(self, email: str) -> Guesses: ...

    async def replace(self, email: str, guesses: Guesses) -> bool:
        """Store `guesses` under the next revision; False, and nothing stored, when its revision is out of date."""
        ...

    async def forget(self, email: str) -> None: ...


class GuessAllowance:
    """Lets so many guesses through as an address has left."""

    def __init__(self, store: GuessStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def take(self, email: str) -> Guesses:
        """Count a guess that is about to be checked, and return the count.

        Raises: SignInLockedError; also when so many are under way at once that this one cannot be counted.
        """
        for _ in range(_TRIES):
            counted = (await self._store.guesses(email)).with_one_more(self._clock.now())
            if await self._store.replace(email, counted):
                return counted
            await asyncio.sleep(_PAUSE_S * random.random())  # noqa: S311 (scatters retries, guards nothing)
        raise SignInLockedError(retry_after_s=1)

    async def clear(self, email: str) -> None:
        """Forget the guesses of an address whose password was right."""
        await self._store.forget(email)
