"""Telemetry of a process that nobody watches: tests, command lines, the documentation page."""

from contextlib import AbstractContextManager, nullcontext


class SilentTelemetry:
    """Notes nothing."""

    def count(self, name: str, amount: int = 1) -> None:
        """Do nothing."""

    def duration(self, name: str, milliseconds: float) -> None:
        """Do nothing."""

    def span(self, name: str) -> AbstractContextManager[object]:  # noqa: ARG002
        return nullcontext()

    def flush(self) -> None:
        """Do nothing."""
