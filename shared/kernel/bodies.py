"""What request bodies are made of. Unknown fields are refused everywhere: none can name a tenant, a role or a plan."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


def printable(text: str) -> str:
    """Return `text`. Raises: ValueError for control characters, and for ones that turn or hide others."""
    if not all(character.isprintable() for character in text):
        raise ValueError("has control characters or characters that cannot be shown")
    return text


Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)
]
"""What people call something: one line."""


class Request(BaseModel):
    """A request body."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Description(BaseModel):
    """What the API says about something."""

    model_config = ConfigDict(frozen=True)
