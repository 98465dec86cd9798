"""Clocks that tests set."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class ManualClock:
    """Implements `Clock`: it stands still at `at` until a test sets it."""

    at: datetime = datetime(2027, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at
