"""What a strategy would make of a sample: the draft stage, where nothing is committed (K1, K4)."""

import asyncio
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.documents.canonical import CanonicalText, Chunk, DocumentWarning
from shared.documents.chunking.chunker import chunk, indexed_text
from shared.documents.chunking.config import ChunkingConfig
from shared.documents.ports import Parser, Tokenizer

MAX_SAMPLE_BYTES: Final = 1024 * 1024
MAX_SHOWN: Final = 200


class PreviewedChunk(BaseModel):
    """`text` is the span from `start` to `end`; `context` is indexed before it and never quoted.

    `tokens` counts both with the embedder's tokenizer.
    """

    model_config = ConfigDict(frozen=True)

    ordinal: int
    start: int
    end: int
    page: int | None
    headings: tuple[str, ...]
    context: str
    text: str
    tokens: int


class Preview(BaseModel):
    """What the sample would become; of many chunks the first ones are shown."""

    model_config = ConfigDict(frozen=True)

    format: str
    title: str | None
    length: int
    pages: int
    warnings: tuple[DocumentWarning, ...]
    chunk_count: int
    chunks: tuple[PreviewedChunk, ...]


@dataclass(frozen=True, slots=True)
class Previews:
    """Parses and cuts samples as ingestion would."""

    parser: Parser
    tokenizer: Tokenizer

    async def preview(self, name: str, content: bytes, config: ChunkingConfig) -> Preview:
        """Show what becomes of `content` under `config`. Raises: RejectedDocumentError."""
        text = await self.parser.parse(name, content)
        return await asyncio.to_thread(self._cut, text, config)

    def _cut(self, text: CanonicalText, config: ChunkingConfig) -> Preview:
        chunks = chunk(text, config, self.tokenizer)
        return Preview(
            format=text.format,
            title=text.title,
            length=len(text.text),
            pages=len(text.pages),
            warnings=text.warnings,
            chunk_count=len(chunks),
            chunks=tuple(self._shown(text, piece) for piece in chunks[:MAX_SHOWN]),
        )

    def _shown(self, text: CanonicalText, piece: Chunk) -> PreviewedChunk:
        return PreviewedChunk(
            ordinal=piece.ordinal,
            start=piece.start,
            end=piece.end,
            page=piece.page,
            headings=piece.headings,
            context=piece.context,
            text=text.text[piece.start : piece.end],
            tokens=len(self.tokenizer.spans(indexed_text(text, piece))),
        )
