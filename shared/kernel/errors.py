"""The base of every failure that a caller can act on."""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What a failure means to the caller; entry points turn it into a status or a retry."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    CONFLICT = "conflict"
    TOO_LARGE = "too-large"
    UNSUPPORTED_TYPE = "unsupported-type"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"


class TesseraError(Exception):
    """A failure that the caller can act on. `code` is part of the API: never renamed, never reused.

    The message says what to do next; `facts` are shown beside it in the problem document.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind]

    def __init__(self, message: str, **facts: str | int) -> None:
        super().__init__(message)
        self.facts = facts
