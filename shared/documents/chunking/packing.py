"""Filling chunks with whole pieces, one after the other, in time linear in the text."""

from dataclasses import dataclass

from shared.documents.canonical import Block, BlockKind, Chunk
from shared.documents.chunking.config import ChunkingConfig
from shared.documents.chunking.contexts import Contexts
from shared.documents.chunking.counting import TokenCounts
from shared.documents.chunking.outline import Outline, Section
from shared.documents.ports import Tokenizer
from shared.documents.sentences import trimmed

# A token is rarely longer; where it is (one endless word), characters are the limit.
_CHARACTERS_PER_TOKEN = 12


@dataclass(slots=True)
class Open:
    """The chunk that is being filled."""

    start: int
    end: int
    section: Section
    header: str
    has_body: bool
    headings_from: int | None = None
    """Where the headings at its end begin: they go with what follows them."""


class Packer:
    """Collects pieces into chunks that, with their context, stay within the limit."""

    def __init__(self, outline: Outline, config: ChunkingConfig, tokenizer: Tokenizer) -> None:
        self.outline = outline
        self.counts = TokenCounts(outline.text.text, tokenizer)
        self._limit = min(config.max_tokens, tokenizer.limit)
        self._contexts = Contexts(outline.text.title, tokenizer, min(config.context_tokens, self._limit // 2))
        self._max_characters = self._limit * _CHARACTERS_PER_TOKEN
        self.overlap = min(config.overlap_tokens, self._limit // 4)
        self._min_tokens = config.min_tokens
        self._open: Open | None = None
        self._chunks: list[Chunk] = []

    @property
    def open_tokens(self) -> int:
        """How many tokens the open chunk has without its context."""
        return 0 if self._open is None else self.counts.within(self._open.start, self._open.end)

    @property
    def has_body(self) -> bool:
        """Whether the open chunk holds more than headings."""
        return self._open is not None and self._open.has_body

    def fits(self, start: int, end: int, section: Section, header: str) -> bool:
        tokens = self.counts.within(start, end) + self._contexts.tokens(section, start, header)
        return tokens <= self._limit and end - start <= self._max_characters

    def add_block(self, block: Block, section: Section) -> None:
        """Add a block: whole where it fits into the open chunk or into a new one, else piece by piece.

        A chunk that would stay very short is filled up with the first sentences of the block all the same.
        """
        if self._extends(block.start, block.end, block):
            return
        leaves_a_crumb = self.has_body and self.open_tokens < self._min_tokens and block.kind is BlockKind.PARAGRAPH
        if not leaves_a_crumb and self.fits(block.start, block.end, section, block.header):
            self._begin(block.start, block.end, section, block)
            return
        for start, end in self.outline.pieces(block):
            self.add_piece(start, end, section, block)

    def add_piece(self, start: int, end: int, section: Section, block: Block) -> None:
        """Add a sentence or a line; one that is too long by itself is cut at white space."""
        if self._extends(start, end, block):
            return
        if self.fits(start, end, section, block.header):
            self._begin(start, end, section, block)
            return
        while start < end:
            stop = self.window_end(start, end, section, block.header)
            self._begin(start, stop, section, block)
            start, _ = trimmed(self.outline.text.text, stop, end)

    def window_end(self, start: int, end: int, section: Section, header: str) -> int:
        """Return where a window from `start` must end: at white space, where there is some in its last half."""
        room = max(1, self._limit - self._contexts.tokens(section, start, header))
        stop = min(self.counts.end_of(start, room, end), start + self._max_characters)
        if stop >= end:
            return end
        text = self.outline.text.text
        for at in range(stop, start + (stop - start) // 2, -1):
            if text[at].isspace():
                return at
        return max(stop, start + 1)

    def close(self) -> None:
        """End the open chunk; headings at its end are carried over to the next."""
        current = self._open
        self._open = None
        if current is None:
            return
        carried = current.headings_from
        if carried is not None and current.has_body:
            self._emit(current.start, carried, current)
            self._open = Open(carried, current.end, current.section, "", has_body=False, headings_from=carried)
        else:
            self._emit(current.start, current.end, current)

    def cut(self) -> None:
        """End the open chunk with everything in it, headings at its end included."""
        current = self._open
        self._open = None
        if current is not None:
            self._emit(current.start, current.end, current)

    def finish(self) -> tuple[Chunk, ...]:
        self.cut()
        return tuple(self._chunks)

    def _extends(self, start: int, end: int, block: Block) -> bool:
        current = self._open
        if current is None:
            return False
        header = current.header or block.header
        if not self.fits(current.start, end, current.section, header):
            return False
        current.end = end
        current.header = header
        if block.kind is BlockKind.HEADING:
            current.headings_from = start if current.headings_from is None else current.headings_from
        else:
            current.has_body = True
            current.headings_from = None
        return True

    def _begin(self, start: int, end: int, section: Section, block: Block) -> None:
        self.close()
        carried = self._open
        if carried is not None and self.fits(carried.start, end, carried.section, block.header):
            self._extends(start, end, block)
            return
        if carried is not None:
            self.close()
        is_heading = block.kind is BlockKind.HEADING
        self._open = Open(start, end, section, block.header, not is_heading, start if is_heading else None)

    def emit_window(self, start: int, end: int, section: Section, header: str) -> None:
        """Add a finished chunk, for strategies that do their own cutting."""
        self._emit(start, end, Open(start, end, section, header, has_body=True))

    def _emit(self, start: int, end: int, source: Open) -> None:
        text = self.outline.text
        start, end = trimmed(text.text, start, end)
        if start >= end:
            return
        self._chunks.append(
            Chunk(
                ordinal=len(self._chunks),
                start=start,
                end=end,
                page=text.pages[self.outline.page_index(start)].number if text.pages else None,
                headings=source.section.path,
                context=self._contexts.of(source.section, start, source.header),
            )
        )
