"""Canonical texts and chunk manifests as JSON: the artifacts that later stages and versions read (K3, K4).

The formats carry a version number. Readers accept the versions they know and refuse others; a format is only ever
added to, or gets a new number.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.documents.canonical import Block, BlockKind, CanonicalText, Chunk, DocumentWarning, Page
from shared.kernel.errors import Kind, TesseraError

_TEXT_FORMAT = 1
_MANIFEST_FORMAT = 1


class UnknownArtifactFormatError(TesseraError):
    """An artifact was written by a version that this one does not know; re-index the document."""

    code: ClassVar[str] = "unknown-artifact-format"
    kind: ClassVar[Kind] = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class ChunkManifest:
    """The chunks of one generation, and of which text they are spans."""

    chunks: tuple[Chunk, ...]
    text_sha256: str
    strategy: str


def text_to_json(text: CanonicalText) -> bytes:
    """Return `text` as UTF-8 JSON; the same text always gives the same bytes."""
    return _dumped(
        {
            "version": _TEXT_FORMAT,
            "format": text.format,
            "title": text.title,
            "warnings": [warning.value for warning in text.warnings],
            "pages": [[page.number, page.start, page.end, page.label] for page in text.pages],
            "blocks": [[block.kind.value, block.start, block.end, block.level, block.header] for block in text.blocks],
            "text": text.text,
        }
    )


def text_from_json(data: bytes) -> CanonicalText:
    """Return the text that `text_to_json` wrote.

    Raises: UnknownArtifactFormatError.
    """
    fields = _loaded(data, _TEXT_FORMAT)
    return CanonicalText(
        text=fields["text"],
        format=fields["format"],
        title=fields["title"],
        pages=tuple(Page(*row) for row in fields["pages"]),
        blocks=tuple(
            Block(BlockKind(kind), start, end, level, header) for kind, start, end, level, header in fields["blocks"]
        ),
        warnings=tuple(DocumentWarning(warning) for warning in fields["warnings"]),
    )


def manifest_to_json(manifest: ChunkManifest) -> bytes:
    """Return `manifest` as UTF-8 JSON; the same manifest always gives the same bytes."""
    return _dumped(
        {
            "version": _MANIFEST_FORMAT,
            "text_sha256": manifest.text_sha256,
            "strategy": manifest.strategy,
            "chunks": _chunk_rows(manifest.chunks),
        }
    )


def manifest_from_json(data: bytes) -> ChunkManifest:
    """Return the manifest that `manifest_to_json` wrote.

    Raises: UnknownArtifactFormatError.
    """
    fields = _loaded(data, _MANIFEST_FORMAT)
    chunks = tuple(
        Chunk(ordinal, start, end, page, tuple(headings), context)
        for ordinal, start, end, page, headings, context in fields["chunks"]
    )
    return ChunkManifest(chunks, fields["text_sha256"], fields["strategy"])


def _chunk_rows(chunks: Sequence[Chunk]) -> list[list[Any]]:
    return [[each.ordinal, each.start, each.end, each.page, list(each.headings), each.context] for each in chunks]


def _dumped(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _loaded(data: bytes, version: int) -> dict[str, Any]:
    fields = json.loads(data)
    if not isinstance(fields, dict) or fields.get("version") != version:
        raise UnknownArtifactFormatError("This document was prepared by another version. Re-index it.")
    return fields
