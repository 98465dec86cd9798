"""The structure that chunks are cut along: every visible character in one block, and the headings above each."""

from bisect import bisect_right
from dataclasses import dataclass

from shared.documents.canonical import Block, BlockKind, CanonicalText
from shared.documents.contents_lists import heads_contents
from shared.documents.sentences import sentence_spans, trimmed

_LONGEST_HEADING_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Section:
    """The headings above a place in the text, outermost first, and where each of them begins."""

    path: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()


class Outline:
    """Blocks that cover the text, and for each its section and its page."""

    def __init__(self, text: CanonicalText) -> None:
        self.text = text
        self.blocks = _covering(text)
        self.sections = _sections(text.text, self.blocks)
        self._page_starts = [page.start for page in text.pages]

    def page_index(self, offset: int) -> int:
        """Return which page, counted from 0, holds `offset`; 0 for a text without pages."""
        return max(0, bisect_right(self._page_starts, offset) - 1)

    def pieces(self, block: Block) -> list[tuple[int, int]]:
        """Return the parts that a block divides into best: lines of a row or of code, sentences of everything else."""
        inner = self.text.text[block.start : block.end]
        if block.kind in (BlockKind.TABLE_ROW, BlockKind.CODE) and "\n" in inner:
            return _line_spans(self.text.text, block.start, block.end)
        return [(block.start + start, block.start + end) for start, end in sentence_spans(inner)]


def _covering(text: CanonicalText) -> tuple[Block, ...]:
    """Return the blocks of a text, trimmed, and a paragraph for all text that lies between them."""
    found: list[Block] = []
    at = 0
    for block in text.blocks:
        found.extend(_paragraphs_between(text.text, at, block.start))
        start, end = trimmed(text.text, max(at, block.start), block.end)
        if start < end:
            found.append(Block(block.kind, start, end, block.level, block.header))
        at = max(at, block.end)
    found.extend(_paragraphs_between(text.text, at, len(text.text)))
    return tuple(found)


def _paragraphs_between(text: str, start: int, end: int) -> list[Block]:
    found: list[Block] = []
    while start < end:
        stop = text.find("\n\n", start, end)
        stop = end if stop == -1 else stop
        inner_start, inner_end = trimmed(text, start, stop)
        if inner_start < inner_end:
            found.append(Block(BlockKind.PARAGRAPH, inner_start, inner_end))
        start = stop + 2
    return found


def _sections(text: str, blocks: tuple[Block, ...]) -> tuple[Section, ...]:
    """Return for each block the headings above it; for a heading that includes the heading itself.

    What announces a list of contents is above nothing: the list's end is not marked.
    """
    open_headings: list[Block] = []
    found: list[Section] = []
    current = Section()
    for block in blocks:
        if block.kind is BlockKind.HEADING and not heads_contents(text[block.start : block.end]):
            while open_headings and open_headings[-1].level >= block.level:
                open_headings.pop()
            open_headings.append(block)
            current = Section(
                tuple(" ".join(text[each.start : each.end].split())[:_LONGEST_HEADING_SHOWN] for each in open_headings),
                tuple(each.start for each in open_headings),
            )
        found.append(current)
    return tuple(found)


def _line_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop == -1 else stop
        span = trimmed(text, start, stop)
        if span[0] < span[1]:
            found.append(span)
        start = stop + 1
    return found
