"""Word documents: paragraphs, headings by outline level, lists, tables, text boxes, notes, in reading order."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from shared.adapters.parsing.containers import Container
from shared.adapters.parsing.limits import ParseLimits
from shared.adapters.parsing.relationships import core_title, main_part, relationships_of
from shared.adapters.parsing.tables import add_grid
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_VAL = f"{_W}val"
_OFF = ("0", "false", "off")
_DELETED = frozenset({f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}delText", f"{_W}rPr", f"{_W}pPr"})
_CHARACTERS = {
    f"{_W}tab": "\t",
    f"{_W}ptab": "\t",
    f"{_W}br": "\n",
    f"{_W}cr": "\n",
    f"{_W}noBreakHyphen": "-",
}
_LEAST_LEVEL = 6
_LONGEST_HEADING = 120
_MOST_BOLD = 0.25
_WHITE = ("ffffff", "white")


def read_docx(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the text of a Word document. Pages exist only in print, so there are none."""
    container = Container(content, limits)
    builder = CanonicalBuilder("docx", max_characters=limits.characters)
    part = main_part(container, "word/document.xml")
    related = {each.kind: each.target for each in relationships_of(container, part).values()}
    styles = _Styles(container.xml(related["styles"]) if "styles" in related else None)
    body = container.xml(part).find(f"{_W}body")
    reader = _Reader(builder, styles, bold_heads=body is not None and _bold_is_rare(body))
    if body is not None:
        reader.read_blocks(body)
    for notes in ("footnotes", "endnotes"):
        if notes in related:
            reader.read_notes(container.xml(related[notes]))
    return builder.build(core_title(container))


class _Styles:
    """Which paragraph styles are headings, lists or captions, following what they are based on."""

    def __init__(self, root: Element | None) -> None:
        self._styles = (
            {} if root is None else {style.get(f"{_W}styleId", ""): style for style in root.iter(f"{_W}style")}
        )

    def heading_level(self, style_id: str) -> int:
        """Return 1..6, or 0 for what is no heading."""
        for style in self._line_of(style_id):
            outline = style.find(f"{_W}pPr/{_W}outlineLvl")
            if outline is not None:
                return _outline_level(outline)
            name = self._name(style)
            if name == "title":
                return 1
            if name.startswith("heading ") and name[8:].isdecimal():
                return min(int(name[8:]), 6)
        return 0

    def is_list(self, style_id: str) -> bool:
        return any(style.find(f"{_W}pPr/{_W}numPr") is not None for style in self._line_of(style_id))

    def is_caption(self, style_id: str) -> bool:
        return any(self._name(style) == "caption" for style in self._line_of(style_id))

    def _line_of(self, style_id: str) -> Iterator[Element]:
        seen: set[str] = set()
        while style_id in self._styles and style_id not in seen:
            seen.add(style_id)
            style = self._styles[style_id]
            yield style
            based_on = style.find(f"{_W}basedOn")
            style_id = "" if based_on is None else based_on.get(_VAL, "")

    @staticmethod
    def _name(style: Element) -> str:
        name = style.find(f"{_W}name")
        return "" if name is None else name.get(_VAL, "").lower()


class _Reader:
    def __init__(self, builder: CanonicalBuilder, styles: _Styles, *, bold_heads: bool) -> None:
        self._builder = builder
        self._bold_heads = bold_heads
        self._styles = styles
        self._caption = ""
        self._boxes: list[Element] = []

    def read_blocks(self, parent: Element) -> None:
        for element in parent:
            if element.tag == f"{_W}p":
                self._read_paragraph(element)
            elif element.tag == f"{_W}tbl":
                self._read_table(element)
            elif element.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins", f"{_W}moveTo"):
                self.read_blocks(element)
            elif element.tag == f"{_COMPATIBILITY}AlternateContent":
                self.read_blocks(_alternative(element))

    def read_notes(self, root: Element) -> None:
        for note in root:
            if note.get(f"{_W}type") is None:  # typed notes are the separator lines
                self.read_blocks(note)

    def _read_paragraph(self, paragraph: Element) -> None:
        text = "".join(self._text(paragraph))
        style_id = _value(paragraph, f"{_W}pPr/{_W}pStyle")
        outline = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
        level = self._styles.heading_level(style_id) if outline is None else _outline_level(outline)
        numbering = paragraph.find(f"{_W}pPr/{_W}numPr")
        if level:
            self._builder.add(BlockKind.HEADING, text.replace("\n", " "), level=level)
        elif _is_listed(numbering) or (numbering is None and self._styles.is_list(style_id)):
            self._builder.add(BlockKind.LIST_ITEM, text)
        elif self._bold_heads and _reads_like_heading(text) and _is_bold(paragraph):
            self._builder.add(BlockKind.HEADING, text.replace("\n", " "), level=_LEAST_LEVEL)
        else:
            self._builder.add(BlockKind.PARAGRAPH, text)
        self._caption = text if self._styles.is_caption(style_id) else ""
        self._read_boxes()

    def _read_boxes(self) -> None:
        boxes, self._boxes = self._boxes, []
        for box in boxes:
            self.read_blocks(box)

    def _read_table(self, table: Element) -> None:
        caption, self._caption = self._caption, ""
        rows = list(_members(table, f"{_W}tr"))
        cells = [list(_members(row, f"{_W}tc")) for row in rows]
        if max((len(row) for row in cells), default=0) <= 1:
            for row in cells:
                for cell in row:
                    self.read_blocks(cell)
            return
        has_header = bool(rows) and rows[0].find(f"{_W}trPr/{_W}tblHeader") is not None
        texts = [[self._cell_text(cell) for cell in row] for row in cells]
        add_grid(self._builder, texts, caption=caption, has_header=has_header)
        self._read_boxes()

    def _cell_text(self, cell: Element) -> str:
        lines = ("".join(self._text(paragraph)).strip() for paragraph in cell.iter(f"{_W}p"))
        return "\n".join(line for line in lines if line)

    def _text(self, parent: Element) -> Iterator[str]:
        """Yield what a reader of the printed page sees of `parent`; text boxes wait until the paragraph is over."""
        for element in parent:
            if element.tag == f"{_W}t":
                yield element.text or ""
            elif element.tag in _CHARACTERS:
                yield _CHARACTERS[element.tag]
            elif element.tag in _DELETED:
                continue
            elif element.tag == f"{_W}txbxContent":
                self._boxes.append(element)
            elif element.tag == f"{_COMPATIBILITY}AlternateContent":
                yield from self._text(_alternative(element))
            elif element.tag == f"{_W}r" and _is_hidden(element):
                if any(self._text_of_hidden(element)):
                    self._builder.warn(DocumentWarning.HIDDEN_TEXT_REMOVED)
            else:
                if element.tag == f"{_W}r" and _is_white(element):
                    self._builder.warn(DocumentWarning.HIDDEN_TEXT_KEPT)
                yield from self._text(element)

    @staticmethod
    def _text_of_hidden(run: Element) -> Iterator[str]:
        return (element.text.strip() for element in run.iter(f"{_W}t") if element.text)


def _alternative(element: Element) -> Element:
    """Return one of the versions of the same content: the newer, where there are two."""
    choice = element.find(f"{_COMPATIBILITY}Choice")
    if choice is not None:
        return choice
    fallback = element.find(f"{_COMPATIBILITY}Fallback")
    return element if fallback is None else fallback


def _members(parent: Element, tag: str) -> Iterator[Element]:
    """Yield the rows of a table or the cells of a row, also those inside of content controls."""
    for element in parent:
        if element.tag == tag:
            yield element
        elif element.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"):
            yield from _members(element, tag)


def _bold_is_rare(body: Element) -> bool:
    """Tell whether bold lines are few enough to be headings that somebody made by hand."""
    paragraphs = [each for each in body.iter(f"{_W}p") if any(text.text for text in each.iter(f"{_W}t"))]
    return sum(map(_is_bold, paragraphs)) <= _MOST_BOLD * len(paragraphs)


def _is_bold(paragraph: Element) -> bool:
    """Tell whether every run of a paragraph that shows something is bold by its own properties."""
    runs = [run for run in paragraph.iter(f"{_W}r") if any((text.text or "").strip() for text in run.iter(f"{_W}t"))]
    weights = [run.find(f"{_W}rPr/{_W}b") for run in runs]
    return bool(runs) and all(weight is not None and weight.get(_VAL, "1") not in _OFF for weight in weights)


def _reads_like_heading(text: str) -> bool:
    visible = text.strip()
    is_short = 3 <= len(visible) <= _LONGEST_HEADING
    return is_short and visible[-1] not in ".,;" and any(character.isalpha() for character in visible)


def _is_hidden(run: Element) -> bool:
    vanish = run.find(f"{_W}rPr/{_W}vanish")
    return vanish is not None and vanish.get(_VAL, "true") not in _OFF


def _is_white(run: Element) -> bool:
    """Tell whether a run is white with no colour of its own behind it; a cell or a page may still give one."""
    if _value(run, f"{_W}rPr/{_W}color").lower() not in _WHITE:
        return False
    return run.find(f"{_W}rPr/{_W}shd") is None and run.find(f"{_W}rPr/{_W}highlight") is None


def _is_listed(numbering: Element | None) -> bool:
    return numbering is not None and _value(numbering, f"{_W}numId") not in ("", "0")


def _outline_level(outline: Element) -> int:
    value = outline.get(_VAL, "9")
    return min(int(value) + 1, 6) if value.isdecimal() and int(value) < 9 else 0


def _value(element: Element, path: str) -> str:
    found = element.find(path)
    return "" if found is None else found.get(_VAL, "")
