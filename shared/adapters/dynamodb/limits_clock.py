"""The time of limits where the store has none to give: this machine's, held to the second that DynamoDB's answers name.

Every answer carries a `Date` of whole seconds. What this clock says lies in that second or in the time that the answer
took, so two processes differ by a second and a round trip at most, however wrong their machines are.
"""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from shared.kernel.clock import Clock
from shared.limits.rules import SECOND_US


class LimitsClock:
    """Microseconds since 1970, corrected by each answer that is shown to it."""

    def __init__(self, clock: Clock, monotonic_us: Callable[[], int]) -> None:
        self._clock = clock
        self._monotonic_us = monotonic_us
        self._offset_us: int | None = None

    def now_us(self) -> int:
        if self._offset_us is None:
            # Counted from here on by a clock that nobody sets; the machine's may be set while we run.
            self._offset_us = int(self._clock.now().timestamp() * SECOND_US) - self._monotonic_us()
        return self._monotonic_us() + self._offset_us

    def learn(self, answer: Mapping[str, Any], asked_at_us: int) -> None:
        """Take the time from an answer of DynamoDB to a question of `asked_at_us` (by this clock's `now_us`)."""
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date is None:
            return
        earliest_us = int(parsedate_to_datetime(date).timestamp()) * SECOND_US
        now_us = self.now_us()
        latest_us = earliest_us + SECOND_US + (now_us - asked_at_us)
        held_us = min(max(now_us, earliest_us), latest_us)
        self._offset_us = held_us - self._monotonic_us()
