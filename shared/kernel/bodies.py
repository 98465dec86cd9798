"""What request bodies are made of. Unknown fields are refused everywhere: none can name a tenant, a role or a plan."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    WithJsonSchema,
)

_HIDDEN: Final = r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
"""Control characters, and those that turn or hide others, as far as patterns of every dialect can name them."""

_TAGS: Final = re.compile("[\U000e0000-\U000e0fff]")
"""Characters that nobody sees, which patterns of JavaScript cannot name."""

ONE_LINE: Final = f"^[^{_HIDDEN}]*[^{_HIDDEN}\\s][^{_HIDDEN}]*$"


def one_line(text: str) -> str:
    """Return `text` without white space around it.

    Raises: ValueError when nothing can be seen of it, or when it has characters that control, turn or hide others.
    """
    if re.search(ONE_LINE, text) is None or text.endswith("\n") or _TAGS.search(text) is not None:
        raise ValueError("needs a visible character, and none that controls, turns or hides others")
    return text.strip()


def named(most: int) -> WithJsonSchema:
    """Return how a name of one line and at most `most` characters is described to callers."""
    return WithJsonSchema({"type": "string", "minLength": 1, "maxLength": most, "pattern": ONE_LINE})


Label = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line), named(100)]
"""What people call something: one line."""


_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _written_out(moment: object) -> object:
    if not isinstance(moment, str) or _MOMENT.fullmatch(moment) is None:
        raise ValueError("is a date and a time with its zone, such as 2026-11-21T12:00:00Z")
    return moment


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is, in UTC, no moment of the years 1 to 9999") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
"""A moment as RFC 3339 writes it, in UTC; a bare number could be seconds or milliseconds, and a day has no zone."""


class Request(BaseModel):
    """A request body. Its numbers and truth values are strict: "5" is no number, and 1 is not true."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Description(BaseModel):
    """What the API says about something."""

    model_config = ConfigDict(frozen=True)
