"""Refusals of the limits (T4): each names what is used up, how much it was, and when to try again."""

from typing import ClassVar

from shared.kernel.errors import Kind, TesseraError


class LimitsUnavailableError(TesseraError):
    """The place where everybody counts together does not answer, so nothing may be counted elsewhere instead."""

    code: ClassVar[str] = "limits-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self, retry_after_s: float = 1.0) -> None:
        super().__init__("Limits cannot be counted right now, so nothing was changed. Try again shortly.")
        self.retry_after_s = retry_after_s
