"""What people typed into the fields of a PDF form: it belongs to no page's own text."""

from collections.abc import Iterator
from typing import Any

from pypdf.generic import ArrayObject, DictionaryObject

from shared.adapters.parsing.formats.pdf_structure import refusing_broken
from shared.documents.normalisation import in_one_line

_HIDDEN_FLAGS = 0x2 | 0x20  # hidden, no view
_MOST_FIELDS = 5_000
_DEEPEST_PARENT = 16


def filled_fields(page: DictionaryObject) -> list[str]:
    """Return `label: value` for each visible text or choice field of `page` that has a value, in the page's order."""
    with refusing_broken():
        return [line for widget in _widgets(page) if (line := _line(widget))]


def _widgets(page: DictionaryObject) -> Iterator[DictionaryObject]:
    annotations: Any = page.get("/Annots")
    annotations = None if annotations is None else annotations.get_object()
    if not isinstance(annotations, ArrayObject):
        return
    for reference in annotations[:_MOST_FIELDS]:
        annotation = reference.get_object()
        if isinstance(annotation, DictionaryObject) and annotation.get("/Subtype") == "/Widget":
            flags = annotation.get("/F", 0)
            if not (isinstance(flags, int) and flags & _HIDDEN_FLAGS):
                yield annotation


def _line(widget: DictionaryObject) -> str:
    if _inherited(widget, "/FT") not in ("/Tx", "/Ch"):
        return ""
    value = _inherited(widget, "/V")
    if not isinstance(value, str) or not value.strip():
        return ""
    label = _inherited(widget, "/TU") or _inherited(widget, "/T")
    return f"{in_one_line(label)}: {value}" if isinstance(label, str) and label.strip() else value


def _inherited(widget: DictionaryObject, key: str) -> Any:
    """Return what the widget, or the field that it is a part of, says."""
    node: Any = widget
    for _ in range(_DEEPEST_PARENT):
        if not isinstance(node, DictionaryObject):
            return None
        if key in node:
            return node[key].get_object()
        parent = node.get("/Parent")
        node = None if parent is None else parent.get_object()
    return None
