"""Not asking again at once what did not answer."""

from dataclasses import dataclass
from typing import Final

FAILURES_TO_OPEN: Final = 2
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 8.0


@dataclass(slots=True)
class Breaker:
    """Open after some failures in a row, for a pause that doubles; then one request tries, the others go on waiting.

    `now_s` is any clock that only goes forward.
    """

    failures: int = 0
    pause_s: float = FIRST_PAUSE_S
    open_until_s: float = float("-inf")

    def allows(self, now_s: float) -> bool:
        """Answer whether to ask now. While it is open, the one that is allowed keeps others away for another pause."""
        if self.failures < FAILURES_TO_OPEN:
            return True
        if now_s < self.open_until_s:
            return False
        self.open_until_s = now_s + self.pause_s
        return True

    def succeed(self) -> None:
        self.failures, self.pause_s = 0, FIRST_PAUSE_S

    def fail(self, now_s: float) -> None:
        self.failures += 1
        if self.failures > FAILURES_TO_OPEN:
            self.pause_s = min(2 * self.pause_s, LONGEST_PAUSE_S)
        self.open_until_s = now_s + self.pause_s

    def wait_s(self, now_s: float) -> float:
        """Return when to try again: a second at least."""
        return max(1.0, self.open_until_s - now_s)
