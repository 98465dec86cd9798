"""XML without surprises: no document type, bounded depth and number of elements, optionally as a stream (K3)."""

from collections.abc import Iterator
from typing import cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.parsers import expat

from shared.adapters.parsing.limits import ParseLimits
from shared.documents.rejections import RejectionReason, rejected

_BLOCK_BYTES = 1 << 16


class _RootReachedError(Exception):
    """The prologue is over: no document type can follow."""


def read_xml(content: bytes, limits: ParseLimits) -> Element:
    """Return the root element of `content`. Its depth is bounded, so walking it cannot exhaust the stack.

    Raises: RejectedDocumentError for a document type, too deep nesting, too many elements, or broken XML.
    """
    root: Element | None = None
    for event, element in _events(content, limits):
        if root is None and event == "start":
            root = element
    if root is None:
        raise rejected(RejectionReason.MALFORMED)
    return root


def stream_xml(content: bytes, tag: str, limits: ParseLimits) -> Iterator[Element]:
    """Yield each finished element called `tag` and forget it afterwards, so memory follows one element.

    Raises: as `read_xml`, while it is consumed.
    """
    parents: list[Element] = []
    for event, element in _events(content, limits):
        if event == "start":
            parents.append(element)
            continue
        parents.pop()
        if element.tag == tag:
            yield element
            if parents:
                parents[-1].remove(element)


def _events(content: bytes, limits: ParseLimits) -> Iterator[tuple[str, Element]]:
    _refuse_document_type(content)
    parser: XMLPullParser[Element] = XMLPullParser(events=("start", "end"))
    depth = count = 0
    try:
        for at in range(0, len(content), _BLOCK_BYTES):
            parser.feed(content[at : at + _BLOCK_BYTES])
            for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                if event == "start":
                    depth += 1
                    count += 1
                    if depth > limits.xml_depth or count > limits.xml_elements:
                        raise rejected(RejectionReason.TOO_COMPLEX)
                else:
                    depth -= 1
                yield event, element
        parser.close()
        yield from cast("Iterator[tuple[str, Element]]", parser.read_events())
    except (ParseError, LookupError, ValueError) as error:
        raise rejected(RejectionReason.MALFORMED) from error


def _refuse_document_type(content: bytes) -> None:
    """Read as far as the root element: entities can only be declared before it."""

    def on_document_type(*_: object) -> None:
        raise rejected(RejectionReason.UNSAFE_CONTENT)

    def on_element(*_: object) -> None:
        raise _RootReachedError

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = on_document_type
    parser.StartElementHandler = on_element
    try:
        for at in range(0, len(content), _BLOCK_BYTES):
            parser.Parse(content[at : at + _BLOCK_BYTES])
    except _RootReachedError:
        return
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise rejected(RejectionReason.MALFORMED) from error
