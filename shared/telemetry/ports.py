"""What code may tell about its own run (O2): counts, durations and spans, all named in lower-case words."""

from contextlib import AbstractContextManager
from typing import Final, Protocol

NAMESPACE: Final = "Tessera"
"""Of all metrics."""


def dimensions_of(environment: str, operation_id: str) -> dict[str, str]:
    """Return what tells the metrics of an operation from those of others, and of other environments of the account."""
    return {"environment": environment, "service": operation_id}


class Telemetry(Protocol):
    """Where measurements go. Losing one changes nothing, so no method raises or waits."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add `amount` events of this name, for example `search_degraded`."""
        ...

    def duration(self, name: str, milliseconds: float) -> None:
        """Note how long one thing took."""
        ...

    def span(self, name: str) -> AbstractContextManager[object]:
        """Show the block as a part of the current trace, where the invocation is traced at all."""
        ...

    def flush(self) -> None:
        """Hand over what was noted; the entry calls it once at the end of an invocation."""
        ...
