"""Web pages: the visible text of the main content; markup, scripts, hidden elements and page furniture left out."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from shared.adapters.parsing.encodings import declared_encoding, decode
from shared.adapters.parsing.formats.html_visibility import has_visible_text, is_furniture, is_hidden, is_inert
from shared.adapters.parsing.limits import ParseLimits
from shared.adapters.parsing.tables import add_grid
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning
from shared.documents.rejections import RejectionReason, rejected

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_WHITE_SPACE = re.compile(r"[ \t\n\r\f]+")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
# Elements whose end tag may be missing do not count towards depth: the parser closes them.
_SELF_CLOSING_LIST = """
    area base br col embed hr img input link meta param source track wbr p li dt dd tr td th thead tbody tfoot
    option optgroup colgroup rt rp html head body
"""
_SELF_CLOSING = frozenset(_SELF_CLOSING_LIST.split())
_BLOCKS_LIST = """
    address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form
    header hgroup hr html legend main menu ol p section summary ul tr td th tbody thead tfoot caption
"""
_BLOCKS = frozenset(_BLOCKS_LIST.split())
_MAIN_CONTENT = "main, [role=main]"
_LEAST_MAIN_SHARE = 0.3


def read_html(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the visible text of a web page."""
    decoded = decode(content, declared=declared_encoding(content))
    builder = CanonicalBuilder("html", max_characters=limits.characters)
    for warning in decoded.warnings:
        builder.warn(warning)
    title = add_html(builder, decoded.text, limits)
    return builder.build(title)


def add_html(builder: CanonicalBuilder, markup: str, limits: ParseLimits) -> str | None:
    """Add the visible text of `markup` to `builder` and return the page's title.

    Raises: RejectedDocumentError for markup that is nested too deeply (parsers take quadratic time for it).
    """
    _refuse_depth(markup, limits.html_depth)
    page = LexborHTMLParser(markup)
    title = page.css_first("title")
    if page.body is not None:
        reader = _Reader(builder)
        reader.read(_main_content(page.body))
        reader.flush()
    return None if title is None else title.text()


def _refuse_depth(markup: str, limit: int) -> None:
    depth = 0
    for tag in _TAG.finditer(markup):
        if tag.group(2).lower() not in _SELF_CLOSING:
            depth = max(0, depth - 1) if tag.group(1) else depth + 1
            if depth > limit:
                raise rejected(RejectionReason.TOO_COMPLEX, "elements nested too deeply")


def _main_content(body: LexborNode) -> LexborNode:
    """Return the element that holds the content, where the page names one and most of the text is in it."""
    candidates = body.css(_MAIN_CONTENT)
    if len(candidates) != 1:
        return body
    share = len(candidates[0].text()) / max(1, len(body.text()))
    return candidates[0] if share >= _LEAST_MAIN_SHARE else body


class _Reader:
    """Walks the tree and turns block elements into blocks; depth was bounded before."""

    def __init__(self, builder: CanonicalBuilder) -> None:
        self._builder = builder
        self._inline: list[str] = []
        self._kind = BlockKind.PARAGRAPH
        self._level = 0

    def read(self, node: LexborNode) -> None:
        child = node.first_child
        while child is not None:
            if child.is_text_node:
                self._inline.append(_WHITE_SPACE.sub(" ", child.text_content or ""))
            elif child.is_element_node:
                self._read_element(child)
            child = child.next

    def flush(self) -> None:
        """End the block that is being collected."""
        text = "".join(self._inline)
        self._inline.clear()
        if self._kind is BlockKind.HEADING:
            text = text.replace("\n", " ")
        self._builder.add(self._kind, text, level=self._level)
        if self._kind is BlockKind.LIST_ITEM:
            # What follows inside of the same item is a paragraph of it.
            self._kind = BlockKind.PARAGRAPH

    def _read_element(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if is_inert(tag) or is_furniture(node):
            return
        if is_hidden(node):
            if has_visible_text(node):
                self._builder.warn(DocumentWarning.HIDDEN_TEXT_REMOVED)
        elif tag == "br":
            self._inline.append("\n")
        elif tag in _HEADINGS:
            self._read_block(node, BlockKind.HEADING, _HEADINGS[tag])
        elif tag == "li":
            self._read_block(node, BlockKind.LIST_ITEM)
        elif tag == "pre":
            self.flush()
            self._builder.add(BlockKind.CODE, node.text())
        elif tag == "table":
            self.flush()
            self._read_table(node)
        elif tag in _BLOCKS:
            self._read_block(node, BlockKind.PARAGRAPH)
        else:
            self.read(node)

    def _read_block(self, node: LexborNode, kind: BlockKind, level: int = 0) -> None:
        self.flush()
        outer = self._kind, self._level
        is_inside_heading = self._kind is BlockKind.HEADING and kind is BlockKind.PARAGRAPH
        if not is_inside_heading:
            self._kind, self._level = kind, level
        self.read(node)
        self.flush()
        self._kind, self._level = outer

    def _read_table(self, table: LexborNode) -> None:
        rows = _own_rows(table)
        cells = [[cell for cell in _elements(row) if cell.tag in ("td", "th")] for row in rows]
        widest = max((len(row) for row in cells), default=0)
        if widest <= 1 or table.css_first("table table") is not None or table.attributes.get("role") == "presentation":
            self._read_block(table, BlockKind.PARAGRAPH)
            return
        captions = [self._text_of(each) for each in _elements(table) if each.tag == "caption"]
        caption = captions[0] if captions else ""
        texts = [[self._text_of(cell) for cell in row] for row in cells if not _all_hidden(row)]
        has_header = bool(cells) and len(cells[0]) > 1 and all(cell.tag == "th" for cell in cells[0])
        if caption:
            self._builder.add(BlockKind.PARAGRAPH, caption)
        add_grid(self._builder, texts, caption=caption, has_header=has_header)

    def _text_of(self, cell: LexborNode) -> str:
        return _CellReader(self._builder).text_of(cell)


def _own_rows(table: LexborNode) -> list[LexborNode]:
    rows: list[LexborNode] = []
    for element in _elements(table):
        if element.tag == "tr":
            rows.append(element)
        elif element.tag in ("thead", "tbody", "tfoot"):
            rows.extend(row for row in _elements(element) if row.tag == "tr")
    return [row for row in rows if not is_hidden(row)]


def _elements(parent: LexborNode) -> list[LexborNode]:
    found: list[LexborNode] = []
    child = parent.first_child
    while child is not None:
        if child.is_element_node:
            found.append(child)
        child = child.next
    return found


def _all_hidden(cells: list[LexborNode]) -> bool:
    return all(is_hidden(cell) for cell in cells)


class _CellReader:
    """Collects the visible text of one table cell, one line per block in it."""

    def __init__(self, builder: CanonicalBuilder) -> None:
        self._builder = builder
        self._lines: list[str] = []
        self._inline: list[str] = []

    def text_of(self, cell: LexborNode) -> str:
        self._read_element(cell)
        self._end_line()
        return "\n".join(self._lines)

    def _read_element(self, node: LexborNode) -> None:
        if is_inert(node.tag or ""):
            return
        if is_hidden(node):
            if has_visible_text(node):
                self._builder.warn(DocumentWarning.HIDDEN_TEXT_REMOVED)
            return
        is_block = node.tag in _BLOCKS or node.tag in _HEADINGS or node.tag in ("br", "li", "pre")
        if is_block:
            self._end_line()
        child = node.first_child
        while child is not None:
            if child.is_text_node:
                self._inline.append(_WHITE_SPACE.sub(" ", child.text_content or ""))
            elif child.is_element_node:
                self._read_element(child)
            child = child.next
        if is_block:
            self._end_line()

    def _end_line(self) -> None:
        line = "".join(self._inline).strip()
        self._inline.clear()
        if line:
            self._lines.append(line)
