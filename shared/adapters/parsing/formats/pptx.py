"""Presentations: one page per slide, its title first, then shapes, tables, chart labels and the speaker's notes."""

from xml.etree.ElementTree import Element

from shared.adapters.parsing.containers import Container
from shared.adapters.parsing.formats.pptx_order import shapes_in_order
from shared.adapters.parsing.limits import ParseLimits
from shared.adapters.parsing.relationships import Relationship, core_title, main_part, relationships_of
from shared.adapters.parsing.tables import add_grid
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning
from shared.documents.rejections import RejectionReason, rejected

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# A short text that is set so much larger than the rest is a heading.
_LARGE = 1.3
_LONGEST_HEADING = 80
_TITLES = ("title", "ctrTitle")
_FURNITURE = ("sldNum", "dt", "ftr", "hdr", "sldImg")


def read_pptx(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the text of a presentation; hidden slides keep their place and are flagged."""
    container = Container(content, limits)
    builder = CanonicalBuilder("pptx", max_characters=limits.characters)
    part = main_part(container, "ppt/presentation.xml")
    related = relationships_of(container, part)
    slides = [
        related[each.get(_R_ID, "")]
        for each in container.xml(part).iter(f"{_P}sldId")
        if each.get(_R_ID, "") in related
    ]
    if len(slides) > limits.pages:
        raise rejected(RejectionReason.TOO_MANY_PAGES)
    for slide in slides:
        builder.begin_page()
        _SlideReader(container, builder).read(slide.target)
    return builder.build(core_title(container))


class _SlideReader:
    def __init__(self, container: Container, builder: CanonicalBuilder) -> None:
        self._container = container
        self._builder = builder
        self._related: dict[str, Relationship] = {}
        self._large = 0.0

    def read(self, part: str) -> None:
        root = self._container.xml(part)
        self._related = relationships_of(self._container, part)
        if root.get("show") in ("0", "false"):
            self._builder.warn(DocumentWarning.HIDDEN_TEXT_KEPT)
        tree = root.find(f"{_P}cSld/{_P}spTree")
        shapes = [] if tree is None else shapes_in_order(tree)
        self._large = _LARGE * _usual_size(shapes)
        titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
        for shape in titles:
            text = " ".join(_paragraph_text(paragraph) for paragraph in shape.iter(f"{_A}p"))
            self._builder.add(BlockKind.HEADING, text.replace("\n", " "), level=1)
        for shape in shapes:
            if shape not in titles:
                self._read_shape(shape)
        self._read_notes()

    def _read_shape(self, shape: Element) -> None:
        kind = _placeholder(shape)
        if kind in _FURNITURE:
            return
        if shape.tag == f"{_P}graphicFrame":
            for table in shape.iter(f"{_A}tbl"):
                self._read_table(table)
            for chart in shape.iter(f"{_C}chart"):
                self._read_chart(chart.get(_R_ID, ""))
            return
        paragraphs = [text for text in map(_paragraph_text, shape.iter(f"{_A}p")) if text.strip()]
        block = BlockKind.LIST_ITEM if kind == "body" and len(paragraphs) > 1 else BlockKind.PARAGRAPH
        is_heading = (
            len(paragraphs) == 1
            and len(paragraphs[0]) <= _LONGEST_HEADING
            and max(_sizes(shape), default=0) > self._large
        )
        for text in paragraphs:
            if is_heading:
                self._builder.add(BlockKind.HEADING, text.replace("\n", " "), level=2)
            else:
                self._builder.add(block, text)

    def _read_table(self, table: Element) -> None:
        rows = [
            ["\n".join(_paragraph_text(paragraph) for paragraph in cell.iter(f"{_A}p")) for cell in row.iter(f"{_A}tc")]
            for row in table.iter(f"{_A}tr")
        ]
        properties = table.find(f"{_A}tblPr")
        add_grid(self._builder, rows, has_header=properties is not None and properties.get("firstRow") in ("1", "true"))

    def _read_chart(self, relationship_id: str) -> None:
        chart = self._related.get(relationship_id)
        if chart is None:
            return
        root = self._container.xml(chart.target)
        title = " ".join("".join(text.text or "" for text in each.iter(f"{_A}t")) for each in root.iter(f"{_C}title"))
        series = [(_cached(each.find(f"{_C}tx")), _cached(each.find(f"{_C}cat")), _cached(each.find(f"{_C}val")))
                  for each in root.iter(f"{_C}ser")]  # fmt: skip
        if not series:
            return
        names = ["", *(" ".join(name) for name, _, _ in series)]
        categories = max((categories for _, categories, _ in series), key=len)
        rows = [[category, *(values[at] if at < len(values) else "" for _, _, values in series)]
                for at, category in enumerate(categories)]  # fmt: skip
        self._builder.add(BlockKind.PARAGRAPH, title)
        add_grid(self._builder, [names, *rows], caption=title, has_header=True)

    def _read_notes(self) -> None:
        for notes in [each for each in self._related.values() if each.kind == "notesSlide"]:
            for shape in self._container.xml(notes.target).iter(f"{_P}sp"):
                if _placeholder(shape) == "body":
                    for paragraph in shape.iter(f"{_A}p"):
                        self._builder.add(BlockKind.PARAGRAPH, _paragraph_text(paragraph))


def _usual_size(shapes: list[Element]) -> float:
    """Return the type size of most of the text that says its size; infinite where none does."""
    sizes = sorted(size for shape in shapes for size in _sizes(shape))
    return sizes[len(sizes) // 2] if sizes else float("inf")


def _sizes(shape: Element) -> list[int]:
    """Return the type size of each character that says it, in hundredths of a point."""
    sizes: list[int] = []
    for run in shape.iter(f"{_A}r"):
        properties = run.find(f"{_A}rPr")
        size = "" if properties is None else properties.get("sz", "")
        if size.isdecimal():
            sizes += [int(size)] * len((run.findtext(f"{_A}t") or "").strip())
    return sizes


def _placeholder(shape: Element) -> str:
    """Return the kind of placeholder a shape fills, "" for none. A placeholder without a kind is a body."""
    found = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
    return "" if found is None else found.get("type", "body")


def _paragraph_text(paragraph: Element) -> str:
    pieces = []
    for element in paragraph.iter():
        if element.tag == f"{_A}t":
            pieces.append(element.text or "")
        elif element.tag == f"{_A}br":
            pieces.append("\n")
    return "".join(pieces)


def _cached(element: Element | None) -> list[str]:
    """Return the values of a chart's reference as they were last shown."""
    if element is None:
        return []
    return [value.text or "" for value in element.iter(f"{_C}v")]
