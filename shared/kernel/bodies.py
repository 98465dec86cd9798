"""What request bodies are made of. Unknown fields are refused everywhere: none can name a tenant, a role or a plan."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, WithJsonSchema

_HIDDEN: Final = r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
"""Control characters, and those that turn or hide others, as far as a pattern of every dialect can say it."""

ONE_LINE: Final = f"^[^{_HIDDEN}]*[^{_HIDDEN}\\s][^{_HIDDEN}]*$"


def one_line(text: str) -> str:
    """Return `text` without white space around it.

    Raises: ValueError when nothing can be seen of it, or when it has characters that cannot be shown.
    """
    stripped = text.strip()
    if re.search(ONE_LINE, text) is None or text.endswith("\n") or not stripped.isprintable():
        raise ValueError("needs a visible character, and none that is a control character or cannot be shown")
    return stripped


def named(most: int) -> WithJsonSchema:
    """Return how a name of one line and at most `most` characters is described to callers."""
    return WithJsonSchema({"type": "string", "minLength": 1, "maxLength": most, "pattern": ONE_LINE})


Label = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line), named(100)]
"""What people call something: one line."""


class Request(BaseModel):
    """A request body."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Description(BaseModel):
    """What the API says about something."""

    model_config = ConfigDict(frozen=True)
