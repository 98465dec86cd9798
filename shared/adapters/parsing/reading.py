"""From a file's bytes to canonical text, within the current process: what the child process runs."""

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import PurePosixPath

from shared.adapters.parsing.detection import Format, detect
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.canonical import CanonicalText
from shared.documents.normalisation import in_one_line, normalised
from shared.documents.rejections import RejectionReason, rejected

_Reader = Callable[[bytes, ParseLimits], CanonicalText]

_BETWEEN_WORDS = re.compile(r"[_\s-]+|(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]{3}|[^\W\d_\x00-\x7f]")
_LONGEST_TITLE = 120
_FORMATS = "shared.adapters.parsing.formats"
# Imported when needed: most readers bring a library, and a child process reads one file.
_READERS = {
    Format.TEXT: ("plain", "read_plain"),
    Format.MARKDOWN: ("markdown", "read_markdown"),
    Format.HTML: ("html", "read_html"),
    Format.PDF: ("pdf", "read_pdf"),
    Format.DOCX: ("docx", "read_docx"),
    Format.PPTX: ("pptx", "read_pptx"),
    Format.XLSX: ("xlsx", "read_xlsx"),
    Format.CSV: ("delimited", "read_delimited"),
    Format.JSON: ("json_paths", "read_json"),
    Format.EML: ("mail", "read_mail"),
}


def read_document(name: str, content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the canonical text of a file.

    Raises: RejectedDocumentError with a reason; MemoryError or RecursionError where a limit stops a library first.
    """
    if len(content) > limits.file_bytes:
        raise rejected(RejectionReason.TOO_LARGE, f"more than {limits.file_bytes:,} bytes")
    module, function = _READERS[detect(name, content)]
    reader: _Reader = getattr(import_module(f"{_FORMATS}.{module}"), function)
    text = reader(content, limits)
    return text if text.title else replace(text, title=title_from_name(name))


def title_from_name(name: str) -> str | None:
    """Return a title for a document that has none of its own: its file's name in words, None where it has no words."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    words = in_one_line(normalised(_BETWEEN_WORDS.sub(" ", stem))[0])[:_LONGEST_TITLE]
    return words if _WORD.search(words) else None
