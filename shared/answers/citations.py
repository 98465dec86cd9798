"""A citation is a fact: where a quotation stands, checked against the text that it points into (K8, invariant 5)."""

from dataclasses import dataclass
from typing import Final

from shared.answers.selection import Quotation
from shared.documents.canonical import CanonicalText
from shared.kernel.ids import DocumentId, Generation

CONTEXT: Final = 160
"""Code points shown before and after a quotation, so that it can be read where it stands."""


@dataclass(frozen=True, slots=True)
class Citation:
    """`quote` is the span `[start, end)` of the canonical text of `document_id` in `generation`; code points.

    `page` is that of its beginning, None for a format without pages. `before` ends and `after` begins right at it.
    """

    document_id: DocumentId
    generation: Generation
    chunk_id: str
    title: str
    page: int | None
    start: int
    end: int
    quote: str
    before: str
    after: str


def cite(quotation: Quotation, title: str, text: CanonicalText) -> Citation | None:
    """Return the citation of `quotation`; None when `text` does not say at its span what was meant to be quoted.

    There is no search for a place that fits better: what does not stand where it should is not cited.
    """
    start, end = quotation.start, quotation.end
    quote = text.text[start:end]
    said = [text.text[passage.start : passage.end] == passage.text for passage in quotation.passages]
    if not quote or not all(said):
        return None
    first = quotation.passages[0]
    return Citation(
        document_id=first.document_id,
        generation=first.generation,
        chunk_id=first.chunk_id,
        title=title,
        page=text.page_at(start),
        start=start,
        end=end,
        quote=quote,
        before=text.text[max(0, start - CONTEXT) : start],
        after=text.text[end : end + CONTEXT],
    )
