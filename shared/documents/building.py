"""Putting a canonical text together, block by block and page by page (K3)."""

from shared.documents.canonical import Block, BlockKind, CanonicalText, DocumentWarning, Page
from shared.documents.contents_lists import heads_contents
from shared.documents.normalisation import in_one_line, normalised
from shared.documents.rejections import RejectionReason, rejected

_BETWEEN_BLOCKS = "\n\n"
_BETWEEN_ROWS = "\n"
_LONGEST_HEADER = 400
_LONGEST_TITLE = 300
_TITLE_BLOCKS = 3  # a heading further down names a chapter, not the document


class CanonicalBuilder:
    """Collects blocks in reading order and keeps the offsets right.

    Every piece is normalised here and nowhere else. Blocks are divided by an empty line, rows of one table by a line
    end, so that sentences never run from one into the next.
    """

    def __init__(self, format_name: str, *, max_characters: int) -> None:
        self._format = format_name
        self._max_characters = max_characters
        self._pieces: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._page_starts: list[tuple[int, str | None]] = []
        self._warnings: dict[DocumentWarning, None] = {}
        self._table_is_new = True

    def warn(self, warning: DocumentWarning) -> None:
        self._warnings[warning] = None

    def begin_page(self, label: str | None = None) -> None:
        """Let what follows belong to the next page, slide or sheet."""
        self._page_starts.append((self._length, label))

    def begin_table(self) -> None:
        """Divide the rows that follow from the rows before them."""
        self._table_is_new = True

    def add(self, kind: BlockKind, text: str, *, level: int = 0, header: str = "") -> None:
        """Append a block; one without visible text is left out.

        Raises: RejectedDocumentError when the text grows above the limit.
        """
        piece, hid_something = normalised(text)
        if hid_something:
            self.warn(DocumentWarning.HIDDEN_TEXT_REMOVED)
        piece = piece.strip()
        if not piece:
            return
        if kind in (BlockKind.PARAGRAPH, BlockKind.HEADING) and heads_contents(piece):
            kind, level = BlockKind.HEADING, 1
        start = self._begin_block(kind)
        self._append(piece)
        one_line_header = in_one_line(normalised(header)[0])[:_LONGEST_HEADER] if header else ""
        self._blocks.append(Block(kind, start, self._length, level, one_line_header))
        self._table_is_new = False

    def build(self, title: str | None = None) -> CanonicalText:
        """Return the text; without a title of its own, it is called after the level-1 heading that it begins with."""
        text = "".join(self._pieces)
        if not text:
            raise rejected(RejectionReason.NO_TEXT)
        return CanonicalText(
            text=text,
            format=self._format,
            title=self._title(text, title),
            pages=self._pages(),
            blocks=tuple(self._blocks),
            warnings=tuple(self._warnings),
        )

    def _begin_block(self, kind: BlockKind) -> int:
        if self._pieces:
            follows_row = kind is BlockKind.TABLE_ROW and self._blocks[-1].kind is BlockKind.TABLE_ROW
            same_table = follows_row and not self._table_is_new
            self._append(_BETWEEN_ROWS if same_table else _BETWEEN_BLOCKS)
        return self._length

    def _append(self, piece: str) -> None:
        self._length += len(piece)
        if self._length > self._max_characters:
            raise rejected(RejectionReason.TOO_LARGE, f"more than {self._max_characters:,} characters of text")
        self._pieces.append(piece)

    def _title(self, text: str, given: str | None) -> str | None:
        if given and (title := in_one_line(normalised(given)[0])[:_LONGEST_TITLE]):
            return title
        first = next((block for block in self._blocks[:_TITLE_BLOCKS] if block.kind is BlockKind.HEADING), None)
        if first is None or first.level > 1:
            return None
        return in_one_line(text[first.start : first.end])[:_LONGEST_TITLE]

    def _pages(self) -> tuple[Page, ...]:
        """Pages cover the whole text: each reaches to where the next begins."""
        if not self._page_starts:
            return ()
        starts = [0 if index == 0 else start for index, (start, _) in enumerate(self._page_starts)]
        ends = [*starts[1:], self._length]
        return tuple(
            Page(number, start, end, label)
            for number, (start, end, (_, label)) in enumerate(
                zip(starts, ends, self._page_starts, strict=True), start=1
            )
        )
