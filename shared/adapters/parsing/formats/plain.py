"""Plain text: paragraphs at empty lines, line ends kept."""

import re

from shared.adapters.parsing.encodings import decode
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText

_EMPTY_LINES = re.compile(r"\n[^\S\n]*\n\s*")


def read_plain(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return plain text in its paragraphs."""
    decoded = decode(content)
    builder = CanonicalBuilder("txt", max_characters=limits.characters)
    for warning in decoded.warnings:
        builder.warn(warning)
    for paragraph in _EMPTY_LINES.split(decoded.text.replace("\r\n", "\n").replace("\r", "\n")):
        builder.add(BlockKind.PARAGRAPH, paragraph)
    return builder.build()
