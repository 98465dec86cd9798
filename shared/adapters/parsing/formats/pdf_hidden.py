"""Taking out of a PDF the text that no reader of the page sees, before its text is extracted."""

import re
from io import BytesIO
from typing import Any

from pypdf import PdfWriter
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, NameObject, StreamObject

from shared.adapters.parsing.formats.pdf_painting import Box, Painter, Visibility, shows_text
from shared.adapters.parsing.formats.pdf_structure import CheckedPdf, refusing_broken
from shared.documents.canonical import DocumentWarning

# Instructions without which a page cannot hide text; most pages have none, and need no closer look.
_SUSPICIOUS = re.compile(
    rb"(?<![\d.])[37]\s+Tr\b"
    rb"|(?:(?<![\d.])(?:1|1?\.\d+|1\.0*)\s+){1,3}(?:rg|g|sc|scn)\b"
    rb"|(?:(?<![\d.])0(?:\.0*)?\s+){4}(?:k|sc|scn)\b"
    rb"|\s0?\.\d+\s+Tf\b|\s0?\.\d+\s+0\s+0\s+0?\.\d+\s"
    rb"|\d{4,}(?:\.\d+)?\s+(?:-?[\d.]+\s+)?T[dDm]\b|-\d{3,}(?:\.\d+)?\s+(?:-?[\d.]+\s+)?T[dDm]\b"
    rb"|\bgs\b"
)
_LONGEST_LOOKED_AT_BYTES = 4 << 20
_A4: Box = (0.0, 0.0, 595.0, 842.0)


def without_hidden_text(checked: CheckedPdf, content: bytes) -> tuple[bytes, frozenset[DocumentWarning]]:
    """Return the file without hidden text, and what there is to say about it.

    Hidden is what is painted invisibly, in white on nothing, below one point, or off the page. Two cases keep their
    text and are flagged: a page whose only text is invisible (the text layer of a scan), and one that is all white
    (its ground was painted in a way that we do not follow). Text inside of forms is not looked at.
    """
    warnings: set[DocumentWarning] = set()
    cleaned: dict[int, ContentStream] = {}
    with refusing_broken():
        for index, page in enumerate(checked.pages):
            data = _page_data(page)
            if len(data) > _LONGEST_LOOKED_AT_BYTES or not _SUSPICIOUS.search(data):
                continue
            stream = ContentStream(page["/Contents"].get_object(), checked.reader)
            warning = _clean(stream, page)
            if warning is not None:
                warnings.add(warning)
            if warning is DocumentWarning.HIDDEN_TEXT_REMOVED:
                cleaned[index] = stream
        return (_rewritten(checked, cleaned) if cleaned else content), frozenset(warnings)


def _clean(stream: ContentStream, page: DictionaryObject) -> DocumentWarning | None:
    """Remove the hidden text of a page from its instructions; say what was found."""
    painter = Painter(_visible_area(page), _transparent_states(page))
    seen = [painter.follow(operation) for operation in stream.operations]
    kinds = {kind for kind in seen if kind is not None}
    if kinds <= {Visibility.VISIBLE}:
        return None
    if kinds in ({Visibility.INVISIBLE_MODE}, {Visibility.WHITE}):
        return DocumentWarning.HIDDEN_TEXT_KEPT
    stream.operations = [
        operation
        for operation, kind in zip(stream.operations, seen, strict=True)
        if kind in (None, Visibility.VISIBLE) or not shows_text(operation)
    ]
    return DocumentWarning.HIDDEN_TEXT_REMOVED


def _rewritten(checked: CheckedPdf, cleaned: dict[int, ContentStream]) -> bytes:
    writer = PdfWriter(clone_from=checked.reader)
    for index, stream in cleaned.items():
        writer.pages[index].replace_contents(stream)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def _page_data(page: DictionaryObject) -> bytes:
    contents: Any = page.get("/Contents")
    contents = None if contents is None else contents.get_object()
    parts = contents if isinstance(contents, ArrayObject) else [contents]
    streams = (part.get_object() for part in parts if part is not None)
    return b"\n".join(stream.get_data() for stream in streams if isinstance(stream, StreamObject))


def _visible_area(page: DictionaryObject) -> Box:
    area = _inherited(page, "/CropBox") or _inherited(page, "/MediaBox")
    if not isinstance(area, ArrayObject) or len(area) < 4:
        return _A4
    x0, y0, x1, y1 = (float(each.get_object()) for each in area[:4])
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _inherited(page: DictionaryObject, key: str) -> Any:
    node: Any = page
    for _ in range(64):
        if not isinstance(node, DictionaryObject):
            return None
        if key in node:
            return node[key].get_object()
        parent = node.get("/Parent")
        node = None if parent is None else parent.get_object()
    return None


def _transparent_states(page: DictionaryObject) -> frozenset[str]:
    resources = _inherited(page, "/Resources")
    states = resources.get("/ExtGState") if isinstance(resources, DictionaryObject) else None
    states = None if states is None else states.get_object()
    if not isinstance(states, DictionaryObject):
        return frozenset()
    found = set()
    for name in states:
        state = states[name].get_object()
        if isinstance(state, DictionaryObject) and state.get(NameObject("/ca")) == 0:
            found.add(str(name))
    return frozenset(found)
