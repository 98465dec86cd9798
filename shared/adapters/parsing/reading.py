"""From a file's bytes to canonical text, within the current process: what the child process runs."""

from collections.abc import Callable
from importlib import import_module

from shared.adapters.parsing.detection import Format, detect
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.canonical import CanonicalText
from shared.documents.rejections import RejectionReason, rejected

_Reader = Callable[[bytes, ParseLimits], CanonicalText]

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
    return reader(content, limits)
