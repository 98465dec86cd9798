"""Refusals of the limits (T4): each names what is used up, how much it was, and when to try again."""

import math
from typing import ClassVar

from shared.kernel.errors import Kind, TesseraError


class RateLimitedError(TesseraError):
    """Too many requests in too short a time; they may be sent again soon."""

    code: ClassVar[str] = "rate-limited"
    kind: ClassVar[Kind] = Kind.LIMITED

    def __init__(self, what: str, limit: int, retry_after_s: float) -> None:
        super().__init__(
            f"At most {limit:,} {what} requests a minute. Wait as long as Retry-After says.",
            what=what, limit=limit, reset_s=seconds_of(retry_after_s),
        )  # fmt: skip
        self.retry_after_s = retry_after_s


class QuotaExhaustedError(TesseraError):
    """What the organisation's plan grants for this hour, minute or day is used up."""

    code: ClassVar[str] = "quota-exhausted"
    kind: ClassVar[Kind] = Kind.LIMITED

    def __init__(self, what: str, limit: int, retry_after_s: float) -> None:
        super().__init__(
            f"Your organisation's {what.replace('_', ' ')} do not allow this: {limit:,}. Wait as long as Retry-After "
            "says, or move to a larger plan.",
            what=what, limit=limit, reset_s=seconds_of(retry_after_s),
        )  # fmt: skip
        self.retry_after_s = retry_after_s


class LimitsUnavailableError(TesseraError):
    """The place where everybody counts together does not answer, so nothing may be counted elsewhere instead."""

    code: ClassVar[str] = "limits-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self, retry_after_s: float = 1.0) -> None:
        super().__init__("Limits cannot be counted right now, so nothing was changed. Try again shortly.")
        self.retry_after_s = retry_after_s


class LimitsCrowdedError(Exception):
    """Requests of one tenant kept getting in each other's way where they are counted. The store itself answers."""


def seconds_of(wait_s: float) -> int:
    """Return the whole seconds after which a wait of `wait_s` is over."""
    return math.ceil(wait_s)
