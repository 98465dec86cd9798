"""The one function that cuts a text, whatever the strategy."""

from shared.documents.canonical import Block, BlockKind, CanonicalText, Chunk
from shared.documents.chunking.config import ChunkingConfig, ChunkingStrategy
from shared.documents.chunking.outline import Outline, Section
from shared.documents.chunking.packing import Packer
from shared.documents.contents_lists import heads_contents
from shared.documents.ports import Tokenizer

# Pages of these formats are units of thought; those of a PDF are accidents of print, if good places to stop.
_PAGES_DIVIDE = frozenset(["pptx", "xlsx"])

_Piece = tuple[int, int, Section, str]


def chunk(text: CanonicalText, config: ChunkingConfig, tokenizer: Tokenizer) -> tuple[Chunk, ...]:
    """Return the chunks of `text` in order.

    Together their spans hold every character that is not white space; starts strictly rise. A chunk with its context
    has at most `config.max_tokens` tokens, fewer where the embedder reads fewer. Only `sentences` and `tokens` overlap.
    Time is linear in the text.
    """
    outline = Outline(text)
    packer = Packer(outline, config, tokenizer)
    match config.strategy:
        case ChunkingStrategy.TOKENS:
            _cut_windows(packer, outline)
        case ChunkingStrategy.SENTENCES:
            _pack_sentences(packer, outline)
        case ChunkingStrategy.HEADINGS | ChunkingStrategy.ROWS:
            _pack_structure(packer, outline, config)
    return packer.finish()


def indexed_text(text: CanonicalText, piece: Chunk) -> str:
    """Return what is embedded and searched for a chunk: its context, then its span."""
    span = text.text[piece.start : piece.end]
    return f"{piece.context}\n{span}" if piece.context else span


def _pack_structure(packer: Packer, outline: Outline, config: ChunkingConfig) -> None:
    previous: Block | None = None
    rows = 0
    for block, section in zip(outline.blocks, outline.sections, strict=True):
        rows = rows + 1 if block.kind is BlockKind.TABLE_ROW else 0
        if previous is not None and _begins_anew(outline, previous, block):
            packer.cut()
        elif previous is not None and _divides(packer, outline, config, previous, block, rows):
            packer.close()
            rows = min(rows, 1)
        packer.add_block(block, section)
        previous = block


def _begins_anew(outline: Outline, previous: Block, block: Block) -> bool:
    """Tell whether nothing before `block` belongs to it: a new slide or sheet, or contents after a title page."""
    if heads_contents(outline.text.text[block.start : block.end]):
        return True
    turns_page = outline.page_index(previous.start) != outline.page_index(block.start)
    return turns_page and outline.text.format in _PAGES_DIVIDE


def _divides(
    packer: Packer, outline: Outline, config: ChunkingConfig, previous: Block, block: Block, rows: int
) -> bool:
    """Tell whether a chunk should end between two blocks although there is room."""
    if not packer.has_body:
        return False
    touches_rows = BlockKind.TABLE_ROW in (previous.kind, block.kind)
    if config.strategy is ChunkingStrategy.ROWS and touches_rows:
        return rows == 0 or previous.kind is not BlockKind.TABLE_ROW or rows > config.rows_per_chunk
    if block.kind is BlockKind.HEADING and block.level == 1:
        return True
    turns_page = outline.page_index(previous.start) != outline.page_index(block.start)
    is_boundary = block.kind is BlockKind.HEADING or turns_page or (touches_rows and previous.header != block.header)
    return is_boundary and packer.open_tokens >= config.min_tokens


def _pack_sentences(packer: Packer, outline: Outline) -> None:
    """Fill windows with whole sentences; each begins with the last sentences of the one before it."""
    pieces: list[_Piece] = []
    for block, section in zip(outline.blocks, outline.sections, strict=True):
        for start, end in outline.pieces(block):
            at = start
            while at < end:
                stop = packer.window_end(at, end, section, block.header)
                pieces.append((at, stop, section, block.header))
                at = stop
    first = 0
    while first < len(pieces):
        start, _, section, header = pieces[first]
        last = first
        while last + 1 < len(pieces) and packer.fits(start, pieces[last + 1][1], section, header):
            last += 1
        packer.emit_window(start, pieces[last][1], section, header)
        if last + 1 == len(pieces):
            return
        first = _overlapping(packer, pieces, first, last)


def _overlapping(packer: Packer, pieces: list[_Piece], first: int, last: int) -> int:
    """Return which piece the next window begins with: as early as overlap allows, with room for one new piece."""
    following = last + 1
    new_end = pieces[following][1]
    while following - 1 > first:
        start, _, section, header = pieces[following - 1]
        shared = packer.counts.within(start, pieces[last][1])
        if shared > packer.overlap or not packer.fits(start, new_end, section, header):
            break
        following -= 1
    return following


def _cut_windows(packer: Packer, outline: Outline) -> None:
    """Cut windows of equal size over the whole text, each beginning some tokens before the end of the last."""
    text = outline.text.text
    position = 0
    at = 0
    while at < len(text):
        while position + 1 < len(outline.blocks) and outline.blocks[position + 1].start <= at:
            position += 1
        section = outline.sections[position] if outline.sections else Section()
        header = outline.blocks[position].header if outline.blocks else ""
        end = packer.window_end(at, len(text), section, header)
        packer.emit_window(at, end, section, header)
        if end >= len(text):
            return
        overlapping = packer.counts.start_of_last(end, packer.overlap)
        # One endless token would be repeated whole: then windows only touch.
        at = overlapping if overlapping > (at + end) // 2 else end
