"""A span of a canonical text with what stands around it: how anybody checks a citation (K8, invariant 5)."""

from dataclasses import dataclass
from typing import ClassVar

from shared.documents.canonical import CanonicalText
from shared.kernel.errors import Kind, TesseraError


class SpanOutsideTextError(TesseraError):
    """There is no such span in the text."""

    code: ClassVar[str] = "span-outside-text"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class TextWindow:
    """`text[start:end] == quote`, with `before` ending and `after` beginning right there; code points throughout."""

    start: int
    end: int
    before: str
    quote: str
    after: str
    first_page: int | None
    last_page: int | None
    length: int


def window_around(text: CanonicalText, start: int, end: int, context: int) -> TextWindow:
    """Return the span `[start, end)` of `text` and up to `context` code points on either side.

    An empty span is allowed anywhere from 0 to the end. `length` is that of the whole text.
    Raises: SpanOutsideTextError.
    """
    length = len(text.text)
    if not 0 <= start <= end <= length:
        raise SpanOutsideTextError(
            f"Ask for 0 <= start <= end <= {length}, the length of this document's text.", length=length
        )
    return TextWindow(
        start=start,
        end=end,
        before=text.text[max(0, start - context) : start],
        quote=text.text[start:end],
        after=text.text[end : end + context],
        first_page=text.page_at(start),
        last_page=text.page_at(max(start, end - 1)),
        length=length,
    )
