"""What a file is: decided by its first bytes; the name only chooses between text formats, or contradicts."""

import re
from enum import StrEnum
from pathlib import PurePosixPath

from shared.documents.rejections import RejectionReason, rejected


class Format(StrEnum):
    TEXT = "txt"
    MARKDOWN = "md"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"
    EML = "eml"


OFFICE = frozenset({Format.DOCX, Format.PPTX, Format.XLSX})
_BINARY = OFFICE | {Format.PDF}

_EXTENSIONS = {
    "txt": Format.TEXT, "text": Format.TEXT, "log": Format.TEXT,
    "md": Format.MARKDOWN, "markdown": Format.MARKDOWN, "mdown": Format.MARKDOWN,
    "html": Format.HTML, "htm": Format.HTML, "xhtml": Format.HTML,
    "pdf": Format.PDF,
    "docx": Format.DOCX, "docm": Format.DOCX, "dotx": Format.DOCX,
    "pptx": Format.PPTX, "pptm": Format.PPTX, "ppsx": Format.PPTX,
    "xlsx": Format.XLSX, "xlsm": Format.XLSX, "xltx": Format.XLSX,
    "csv": Format.CSV, "tsv": Format.CSV, "tab": Format.CSV,
    "json": Format.JSON,
    "eml": Format.EML,
}  # fmt: skip

_MAIN_FOLDERS = {Format.DOCX: b"word/", Format.PPTX: b"ppt/", Format.XLSX: b"xl/"}

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# In an OLE container, names are UTF-16; this one holds the encrypted package of a protected Office file.
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_OTHER_MAGIC = (
    b"MZ", b"\x7fELF", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*", b"RIFF",
    b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"PK\x05\x06", b"\xca\xfe\xba\xbe",
    b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xcf\xfa\xed\xfe", b"OggS", b"ID3", b"fLaC", b"SQLite format 3\x00",
    b"{\\rtf", b"%!PS", b"\x00asm", b"wOFF", b"wOF2", b"\x28\xb5\x2f\xfd",
)  # fmt: skip

_HTML_START = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_MAIL_START = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]{1,60}:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){2}")
_MAIL_FIELD = re.compile(
    rb"^(?:from|to|subject|date|received|mime-version|return-path|message-id):", re.IGNORECASE | re.MULTILINE
)
_SNIFFED_BYTES = 4096


def named_format(name: str) -> Format | None:
    """Return the format that the extension of `name` claims, None where it claims none that we know."""
    return _EXTENSIONS.get(PurePosixPath(name.replace("\\", "/")).suffix.lower().lstrip("."))


def detect(name: str, content: bytes) -> Format:
    """Return what `content` is. An Office container counts as what its name says; its reader looks closer.

    Raises: RejectedDocumentError where the file is empty, of a type we do not read, or not what its name says.
    """
    if not content:
        raise rejected(RejectionReason.EMPTY)
    claimed = named_format(name)
    found = _by_magic(content, claimed)
    if found is None:
        if claimed in _BINARY:
            raise rejected(RejectionReason.MALFORMED if _is_cut_pdf(content, claimed) else RejectionReason.WRONG_TYPE)
        return claimed or _sniffed_text(content)
    if claimed is not None and claimed != found:
        raise rejected(RejectionReason.WRONG_TYPE, f"named {claimed.value}, contains {found.value}")
    return found


def _by_magic(content: bytes, claimed: Format | None) -> Format | None:
    head = content[:_SNIFFED_BYTES]
    if b"%PDF-" in head[:1024] and (claimed in (Format.PDF, None) or head.startswith(b"%PDF-")):
        return Format.PDF
    if head.startswith(_ZIP):
        return _office_kind(content, claimed)
    if head.startswith(_OLE):
        if _ENCRYPTED_PACKAGE in content:
            raise rejected(RejectionReason.ENCRYPTED)
        reason = RejectionReason.WRONG_TYPE if claimed in OFFICE else RejectionReason.UNSUPPORTED_TYPE
        raise rejected(reason, "a binary Office file of before 2007, or another OLE container")
    if head.startswith(_OTHER_MAGIC) and (claimed in _BINARY or not _is_plain(head)):
        raise rejected(RejectionReason.WRONG_TYPE if claimed else RejectionReason.UNSUPPORTED_TYPE)
    return None


def _office_kind(content: bytes, claimed: Format | None) -> Format:
    """Tell the Office formats apart by the folder of their main part; the directory at the end names the members.

    A file may hold another one whole, folders and all: what its name claims is looked for first.
    """
    for kind in sorted(_MAIN_FOLDERS, key=lambda each: each is not claimed):
        if _MAIN_FOLDERS[kind] in content:
            return kind
    raise rejected(RejectionReason.UNSUPPORTED_TYPE, "an archive that is not an Office document")


def _is_plain(head: bytes) -> bool:
    """Tell whether text merely happens to begin like another format ("MZ is short for …")."""
    return not any(byte < 0x20 and byte not in b"\t\n\r\f" for byte in head) and not head.startswith(
        (b"{\\rtf", b"%!PS")
    )


def _is_cut_pdf(content: bytes, claimed: Format | None) -> bool:
    return claimed is Format.PDF and content.lstrip()[:4] == b"%PDF"


def _sniffed_text(content: bytes) -> Format:
    head = content[:_SNIFFED_BYTES]
    if _HTML_START.match(head):
        return Format.HTML
    if _MAIL_START.match(head) and _MAIL_FIELD.search(head):
        return Format.EML
    if content.lstrip()[:1] in (b"{", b"[") and content.rstrip()[-1:] in (b"}", b"]"):
        return Format.JSON
    return Format.TEXT
