"""What a strategy would make of a sample: the draft stage, where nothing is committed (K1, K4)."""

import asyncio
from dataclasses import dataclass
from typing import Final

from shared.documents.canonical import CanonicalText, Chunk
from shared.documents.chunking.chunker import chunk, indexed_text
from shared.documents.chunking.config import ChunkingConfig
from shared.documents.ports import Parser, Tokenizer

MAX_SAMPLE_BYTES: Final = 1024 * 1024
MAX_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class ShownChunk:
    """A chunk, its text, and how many of the embedder's tokens it takes with its context."""

    chunk: Chunk
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The canonical text of a sample, how many chunks it gives, and the first `MAX_SHOWN` of them."""

    text: CanonicalText
    count: int
    shown: tuple[ShownChunk, ...]


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
        shown = tuple(
            ShownChunk(piece, text.text[piece.start : piece.end], len(self.tokenizer.spans(indexed_text(text, piece))))
            for piece in chunks[:MAX_SHOWN]
        )
        return Preview(text, len(chunks), shown)
