"""The canonical text of one document version: what chunks, citations and quotes are spans of (K3, K4, K8).

All offsets count Unicode code points of `CanonicalText.text`; spans are half-open `[start, end)`.
How text is normalised before it gets here is said, and done, in `normalisation.py`.
"""

from dataclasses import dataclass
from enum import StrEnum


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    CODE = "code"


class DocumentWarning(StrEnum):
    """Something a reader should know about a document that was accepted all the same."""

    HIDDEN_TEXT_REMOVED = "hidden_text_removed"
    HIDDEN_TEXT_KEPT = "hidden_text_kept"
    ENCODING_GUESSED = "encoding_guessed"
    BYTES_REPLACED = "bytes_replaced"
    ATTACHMENTS_IGNORED = "attachments_ignored"
    TEXT_IN_IMAGES = "text_in_images"


@dataclass(frozen=True, slots=True)
class Page:
    """A page, slide or sheet: `number` counts from 1, `label` is the sheet's name where there is one."""

    number: int
    start: int
    end: int
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of structure.

    `level` is 1..6 for a heading, 0 otherwise. `header` is, for a table row, the caption and column names of
    its table in one line (empty otherwise); it belongs into the text that is indexed, not into the span.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    header: str = ""


@dataclass(frozen=True, slots=True)
class CanonicalText:
    """What a parser makes of a file. Blocks are ordered and do not overlap; pages are ordered and cover the text."""

    text: str
    format: str
    title: str | None = None
    pages: tuple[Page, ...] = ()
    blocks: tuple[Block, ...] = ()
    warnings: tuple[DocumentWarning, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page that holds `offset`, None for a format without pages."""
        for page in self.pages:
            if page.start <= offset < page.end:
                return page.number
        return None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a canonical text, `ordinal` counted from 0 in text order.

    `context` (title, headings path, table header) is indexed and embedded before the span's text but never quoted.
    """

    ordinal: int
    start: int
    end: int
    page: int | None
    headings: tuple[str, ...] = ()
    context: str = ""
