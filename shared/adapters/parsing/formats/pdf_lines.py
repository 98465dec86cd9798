"""The lines of a page with their place, size and weight, and the cells that wide gaps divide them into."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

from shared.documents.rejections import RejectionReason, rejected

_LINE_ENDS = "\r\n"
_HYPHEN_AT_LINE_END = "\x02"
# A gap between two words that is wider than this share of the type's height divides cells of a table.
_CELL_GAP = 1.1
_BOLD_NAMES = ("bold", "black", "heavy", "semibold", "demi")
_BOLD_WEIGHT = 600
_NAME_BYTES = 128


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a line and where it stands, in points from the left edge."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line. `bottom` is measured from the page's lower edge; `height` is the type's, in points."""

    cells: tuple[Cell, ...]
    bottom: float
    height: float
    is_bold: bool

    @property
    def text(self) -> str:
        """The line as it reads, cells divided by tabs."""
        return "\t".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        return self.cells[0].left

    @property
    def right(self) -> float:
        return self.cells[-1].right


def page_lines(content: bytes) -> Iterator[list[Line]]:
    """Yield the lines of each page in the order in which the page paints them.

    Raises: RejectedDocumentError where pdfium cannot open the file.
    """
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        reason = RejectionReason.ENCRYPTED if "password" in str(error).lower() else RejectionReason.MALFORMED
        raise rejected(reason) from error
    for index in range(len(document)):
        try:
            page = document[index]
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError:
            yield []  # a page that cannot be loaded has no text; the others count
            continue
        yield _lines(text_page)
        text_page.close()
        page.close()


def _lines(page: pypdfium2.PdfTextPage) -> list[Line]:
    codes = [raw.FPDFText_GetUnicode(page, index) for index in range(raw.FPDFText_CountChars(page))]
    found: list[Line] = []
    start = 0
    for index, code in enumerate([*codes, 10]):
        if code in (10, 13):
            line = _line(page, codes, start, index)
            if line is not None:
                found.append(line)
            start = index + 1
    return found


def _line(page: pypdfium2.PdfTextPage, codes: list[int], start: int, end: int) -> Line | None:
    visible = [index for index in range(start, end) if codes[index] > 32 and codes[index] != 160]
    if not visible:
        return None
    boxes = [
        box for box in map(_Box(page).of, (visible[0], visible[len(visible) // 2], visible[-1])) if box is not None
    ]
    if not boxes:
        return None
    height = sorted(top - bottom for _, bottom, _, top in boxes)[len(boxes) // 2]
    return Line(
        cells=tuple(_cells(page, codes, visible, max(height, 1.0))),
        bottom=boxes[0][1],
        height=height,
        is_bold=all(_is_bold(page, index) for index in (visible[0], visible[-1])),
    )


def _cells(page: pypdfium2.PdfTextPage, codes: list[int], visible: list[int], height: float) -> Iterator[Cell]:
    """Divide a line where two visible characters that are not neighbours stand far apart."""
    box_of = _Box(page).of
    first = previous = visible[0]
    left = _edge(box_of(first), 0)
    for index in visible[1:]:
        if index > previous + 1:
            before, after = box_of(previous), box_of(index)
            if before is not None and after is not None and after[0] - before[2] > _CELL_GAP * height:
                yield Cell(_decoded(codes, first, previous + 1), left, before[2])
                first, left = index, after[0]
        previous = index
    yield Cell(_decoded(codes, first, previous + 1), left, _edge(box_of(previous), 2))


class _Box:
    """Asks for the boxes of characters: (left, bottom, right, top), as high as the type, not as the letter."""

    def __init__(self, page: pypdfium2.PdfTextPage) -> None:
        self._page = page
        self._rectangle = raw.FS_RECTF()

    def of(self, index: int) -> tuple[float, float, float, float] | None:
        box = self._rectangle
        if not raw.FPDFText_GetLooseCharBox(self._page, index, box):
            return None
        return box.left, box.bottom, box.right, box.top


def _edge(box: tuple[float, float, float, float] | None, side: int) -> float:
    return 0.0 if box is None else box[side]


def _decoded(codes: list[int], start: int, end: int) -> str:
    """Return the characters from `start` to `end`; pdfium counts in UTF-16 on some platforms."""
    units = "".join(map(chr, codes[start:end])).replace(_HYPHEN_AT_LINE_END, "-")
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_bold(page: pypdfium2.PdfTextPage, index: int) -> bool:
    if raw.FPDFText_GetFontWeight(page, index) >= _BOLD_WEIGHT:
        return True
    name = ctypes.create_string_buffer(_NAME_BYTES)
    flags = ctypes.c_int()
    raw.FPDFText_GetFontInfo(page, index, name, _NAME_BYTES, flags)
    lowered = name.value.decode("latin-1").lower()
    return any(word in lowered for word in _BOLD_NAMES)
