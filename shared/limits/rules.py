"""How much may be done, and when the rest may: token buckets and fixed windows, in whole microseconds (T4).

A rule never asks for the time: `now_us` comes in, microseconds since 1970. Time that goes back changes nothing: what is
known of a limit only moves forward, so a clock that is late gains nothing.
"""

from dataclasses import dataclass
from typing import Final

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US

BURST_PERCENT: Final = 120
"""What a quota grants in the window after a quiet one, in percent of its limit."""

QUIET_PERCENT: Final = 50
"""A window is quiet when less than so many percent of the limit were used in it."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: `capacity` tokens when full, one token back every `interval_us`.

    All that is known of it is one number, the moment at which it is full again (0 when it never was used).

    Source: the generic cell rate algorithm, ITU-T I.371, in its virtual scheduling form.
    """

    name: str
    capacity: int
    interval_us: int

    @property
    def limit(self) -> int:
        return self.capacity

    @property
    def period_s(self) -> int:
        """In how many whole seconds an empty bucket is full again."""
        return -(-self.capacity * self.interval_us // SECOND_US)

    def wait_us(self, full_at_us: int, cost: int, now_us: int) -> int:
        """Return after how long `cost` tokens can be taken: 0 at once, and not a microsecond more than is needed.

        For more than `capacity` tokens that moment passes without the tokens being there.
        """
        return max(0, self.taken(full_at_us, cost, now_us) - now_us - self.capacity * self.interval_us)

    def taken(self, full_at_us: int, cost: int, now_us: int) -> int:
        """Return when the bucket is full again after `cost` tokens were taken from it."""
        return max(full_at_us, now_us) + cost * self.interval_us

    def remaining(self, full_at_us: int, now_us: int) -> int:
        missing_us = max(0, full_at_us - now_us)
        return max(0, self.capacity * self.interval_us - missing_us) // self.interval_us

    def reset_us(self, full_at_us: int, now_us: int) -> int:
        """Return after how long the bucket is full again."""
        return max(0, full_at_us - now_us)


def per_minute(name: str, figure: int) -> Bucket:
    """Return the bucket that holds `figure` tokens and gets as many back a minute, never more; 0 holds nothing."""
    return Bucket(name, max(0, figure), -(-MINUTE_US // max(1, figure)))


@dataclass(frozen=True, slots=True)
class Counts:
    """What is known of a fixed window: its number since 1970, what was used in it, and in the one before."""

    number: int = 0
    used: int = 0
    previous: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """A quota: at most `limit` in each `period_s` seconds, counted in fixed windows since 1970.

    After a quiet window (less than `QUIET_PERCENT` used) a tenant may use `BURST_PERCENT` of the limit.
    """

    name: str
    limit: int
    period_s: int

    @property
    def period_us(self) -> int:
        return self.period_s * SECOND_US

    @property
    def burst_limit(self) -> int:
        return self.limit * BURST_PERCENT // 100

    @property
    def quiet_below(self) -> int:
        """The use from which on a window was not quiet."""
        return -(-self.limit * QUIET_PERCENT // 100)

    def number_at(self, now_us: int) -> int:
        return now_us // self.period_us

    def current(self, counts: Counts, now_us: int) -> Counts:
        """Return the counts of the window that holds `now_us`; of the newest one known, if that is later."""
        number = self.number_at(now_us)
        if number <= counts.number:
            return counts
        return Counts(number, 0, counts.used if number == counts.number + 1 else 0)

    def allowed(self, counts: Counts, now_us: int) -> int:
        """Return how much may be used in this window."""
        is_quiet = self.current(counts, now_us).previous < self.quiet_below
        return self.burst_limit if is_quiet else self.limit

    def wait_us(self, counts: Counts, cost: int, now_us: int) -> int:
        """Return 0 when `cost` more fit, else the time to the next window (where too much does not fit either)."""
        fits = self.current(counts, now_us).used + cost <= self.allowed(counts, now_us)
        return 0 if fits else self.reset_us(counts, now_us)

    def taken(self, counts: Counts, cost: int, now_us: int) -> Counts:
        present = self.current(counts, now_us)
        return Counts(present.number, present.used + cost, present.previous)

    def remaining(self, counts: Counts, now_us: int) -> int:
        return max(0, self.allowed(counts, now_us) - self.current(counts, now_us).used)

    def reset_us(self, counts: Counts, now_us: int) -> int:
        """Return the time to the next window."""
        return (self.current(counts, now_us).number + 1) * self.period_us - now_us


def corrected(counts: Counts, number: int, change: int) -> Counts:
    """Return `counts` after what was used in window `number` turned out to be `change` more (or less).

    A window that nothing depends on any more is left alone; no count falls below 0.
    """
    if number == counts.number:
        return Counts(counts.number, max(0, counts.used + change), counts.previous)
    if number == counts.number - 1:
        return Counts(counts.number, counts.used, max(0, counts.previous + change))
    return counts
