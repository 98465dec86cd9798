"""Clocks that tests set, and what those tests wait for whose clock is the machine's."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

HOUR_S: Final = 3600
LONG_ENOUGH_S: Final = 60
"""More than a test takes that counts requests of one hour, on a busy machine too."""


@dataclass
class ManualClock:
    """Implements `Clock`: it stands still at `at` until a test sets it."""

    at: datetime = datetime(2027, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


async def early_in_the_hour() -> None:
    """Wait for the next hour where this one is nearly over: what counts by the hour or the day begins anew then."""
    left_s = HOUR_S - time.time() % HOUR_S
    if left_s < LONG_ENOUGH_S:
        await asyncio.sleep(left_s + 0.01)
