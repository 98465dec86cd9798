"""Time comes in as an argument; this is where it comes from."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Now, aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)
