"""What another server said, remembered in this process: refreshed when it ages, kept while that server is down."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

FRESH_FOR_S: Final = 600
STALE_FOR_S: Final = 86_400
"""How long a value is believed while it cannot be fetched again; then what was withdrawn would live too long."""
RETRY_AFTER_S: Final = 30
"""Least time between two fetches while a value is known: asking for what is not in it costs the asker nothing."""

T = TypeVar("T")


class Remembered(Generic[T]):
    """One value behind a fetch that may fail. Fetching happens in a thread, one at a time, whatever event loop asks.

    `fetch` raises one of `failures` when there is nothing new to believe; anything else passes through.
    """

    def __init__(
        self,
        fetch: Callable[[], T],
        *,
        failures: tuple[type[Exception], ...],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._failures = failures
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._value: T | None = None
        self._fetched_at: float | None = None
        self._tried_at: float | None = None

    async def get(self, suffices: Callable[[T], bool] = lambda _: True) -> T:
        """Return the value: fetched again when it is older than `FRESH_FOR_S`, or does not suffice for the asker.

        A value that does not suffice is returned all the same when fetching is not due or brings nothing better.
        Raises: one of `failures` when nothing could be fetched for `STALE_FOR_S`.
        """
        if self._value is not None and not self._wants_fetch(self._value, suffices):
            return self._value
        return await asyncio.to_thread(self._look_again, suffices)

    def _look_again(self, suffices: Callable[[T], bool]) -> T:
        with self._lock:
            if self._value is None or self._wants_fetch(self._value, suffices):  # another thread may have fetched
                self._tried_at = self._monotonic()
                try:
                    self._value = self._fetch()
                    self._fetched_at = self._tried_at
                except self._failures:
                    if self._value is None or self._age() > STALE_FOR_S:
                        raise
            return self._value

    def _wants_fetch(self, value: T, suffices: Callable[[T], bool]) -> bool:
        age = self._age()
        if age > STALE_FOR_S or self._tried_at is None:
            return True
        rested = self._monotonic() - self._tried_at >= RETRY_AFTER_S
        return rested and (age >= FRESH_FOR_S or not suffices(value))

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._monotonic() - self._fetched_at
