"""Checks of a PDF before anything expands it: encryption, the page tree, and what every stream unpacks to."""

import contextlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError, PdfReadError, PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NullObject, StreamObject

from shared.adapters.parsing.limits import ParseLimits
from shared.documents.rejections import RejectionReason, rejected

_PAGE_TREE_DEPTH = 64
_BROKEN = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, OverflowError)


class CheckedPdf:
    """A PDF whose page tree is a tree, within the page limit, and whose streams unpack within the limits."""

    def __init__(self, content: bytes, limits: ParseLimits) -> None:
        """Check `content`.

        Raises: RejectedDocumentError for an encrypted, damaged or exploding file.
        """
        self._limits = limits
        with refusing_broken():
            self.reader = PdfReader(BytesIO(content), strict=False)
            self._open()
            self.pages = list(self._leaves())
            self._check_streams()

    def property_title(self) -> str | None:
        """Return the title from the file's properties, where it has one that can be read."""
        with refusing_broken():
            metadata = self.reader.metadata
            title = None if metadata is None else metadata.title
        return title.strip() or None if title else None

    def _open(self) -> None:
        """Files that only restrict printing or copying open with an empty password."""
        if not self.reader.is_encrypted:
            return
        try:
            opened = self.reader.decrypt("")
        except (DependencyError, NotImplementedError) as error:
            raise rejected(RejectionReason.ENCRYPTED) from error
        if not opened:
            raise rejected(RejectionReason.ENCRYPTED)

    def _leaves(self) -> Iterator[DictionaryObject]:
        """Yield the pages in order, walking the tree without recursion and visiting each node once."""
        root: Any = self.reader.trailer["/Root"].get_object()
        waiting: list[tuple[Any, int]] = [(root.raw_get("/Pages"), 0)]
        seen: set[int] = set()
        count = 0
        while waiting:
            reference, depth = waiting.pop()
            if isinstance(reference, IndirectObject):
                if reference.idnum in seen:
                    raise rejected(RejectionReason.MALFORMED, "the page tree refers to itself")
                seen.add(reference.idnum)
            node = reference.get_object()
            if depth > _PAGE_TREE_DEPTH:
                raise rejected(RejectionReason.TOO_COMPLEX, "the page tree is nested too deeply")
            if not isinstance(node, DictionaryObject):
                continue
            kids = node.get("/Kids")
            if isinstance(kids, ArrayObject):
                if len(kids) + count > self._limits.pages:
                    raise rejected(RejectionReason.TOO_MANY_PAGES, f"more than {self._limits.pages:,} pages")
                waiting.extend((kid, depth + 1) for kid in reversed(kids))
            else:
                count += 1
                yield node
        if count == 0:
            raise rejected(RejectionReason.MALFORMED, "no pages")

    def _check_streams(self) -> None:
        """Unpack every stream but images once, under pypdf's own limit of 75 MB for each, and count the sum."""
        total = 0
        numbers = [(number, generation) for generation, offsets in self.reader.xref.items() for number in offsets]
        for number, generation in numbers:
            try:
                element = self.reader.get_object(IndirectObject(number, generation, self.reader))
            except LimitReachedError:
                raise
            except PdfReadError:
                continue  # an unreadable object hurts nobody; the text may not need it
            if not isinstance(element, StreamObject) or element.get("/Subtype") == "/Image":
                continue
            total += len(element.get_data()) if _is_packed(element) else 0
            if total > self._limits.archive_bytes:
                raise rejected(RejectionReason.EXPANDS_TOO_MUCH)


@contextlib.contextmanager
def refusing_broken() -> Iterator[None]:
    """Turn what pypdf raises for damaged and exploding files into rejections."""
    try:
        yield
    except LimitReachedError as error:
        raise rejected(RejectionReason.EXPANDS_TOO_MUCH) from error
    except FileNotDecryptedError as error:
        raise rejected(RejectionReason.ENCRYPTED) from error
    except (*_BROKEN, RecursionError) as error:
        raise rejected(RejectionReason.MALFORMED) from error


def _is_packed(stream: StreamObject) -> bool:
    packing = stream.get("/Filter")
    return packing is not None and not isinstance(packing, NullObject)
