"""Chunks cut into what can be quoted: sentences, table rows, list items, headings (K8, invariant 5)."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared.documents.canonical import Block, BlockKind, CanonicalText
from shared.documents.sentences import sentence_spans, trimmed
from shared.kernel.ids import DocumentId, Generation
from shared.retrieval.ports import Hit

LONGEST_WHOLE: Final = {BlockKind.TABLE_ROW: 4_000, BlockKind.HEADING: 600, BlockKind.LIST_ITEM: 300}
"""Code points up to which a block of a kind is quoted whole; longer ones, and all other kinds, by sentence."""

LONGEST_SENTENCE: Final = 600
"""A longer sentence is a table or a form in disguise, and is quoted by groups of its lines."""

LINES_TOGETHER: Final = 300

_LINE: Final = re.compile(r"[^\n]+")
_PARAGRAPH_GAP: Final = "\n\n"


@dataclass(frozen=True, slots=True)
class Passage:
    """Something that can be quoted: `text` is the span `[start, end)` of its document's canonical text.

    `chunk` says in which of the chunks at hand it was found, 0 being the best. `before` is the text of the passage
    right before it there, empty for the first one. `header` names the columns of a table row.
    """

    document_id: DocumentId
    generation: Generation
    chunk: int
    chunk_id: str
    start: int
    end: int
    text: str
    kind: BlockKind
    header: str = ""
    before: str = ""


def passages_of(hit: Hit, chunk: int, text: CanonicalText) -> list[Passage]:
    """Return what can be quoted of a found chunk, in text order; sentences that begin or end outside it are whole."""
    found: list[Passage] = []
    for kind, header, start, end in _quotable(text, hit.start, hit.end):
        quote = text.text[start:end]
        before = found[-1].text if found else ""
        found.append(
            Passage(
                hit.document_id, hit.generation, chunk, hit.chunk_id, start, end, quote, kind, header, before
            )
        )  # fmt: skip
    return found


def _quotable(text: CanonicalText, start: int, end: int) -> Iterator[tuple[BlockKind, str, int, int]]:
    for block in _blocks_within(text, start, end):
        for found_start, found_end in _spans_of(text.text, block):
            if found_start < end and found_end > start:
                yield block.kind, block.header, found_start, found_end


def _blocks_within(text: CanonicalText, start: int, end: int) -> Iterator[Block]:
    """Yield the blocks that share a character with the span; where there is no structure, the paragraphs around it."""
    first = max(0, bisect_right(text.blocks, start, key=lambda block: block.start) - 1)
    is_found = False
    for block in text.blocks[first:]:
        if block.start >= end:
            break
        if block.end > start:
            is_found = True
            yield block
    if not is_found:
        gap_before = text.text.rfind(_PARAGRAPH_GAP, 0, start)
        gap_after = text.text.find(_PARAGRAPH_GAP, end)
        yield Block(
            BlockKind.PARAGRAPH,
            0 if gap_before < 0 else gap_before,
            len(text.text) if gap_after < 0 else gap_after,
        )


def _spans_of(text: str, block: Block) -> Iterator[tuple[int, int]]:
    if block.end - block.start <= LONGEST_WHOLE.get(block.kind, 0):
        start, end = trimmed(text, block.start, block.end)
        if start < end:
            yield start, end
        return
    for start, end in sentence_spans(text[block.start : block.end]):
        if end - start <= LONGEST_SENTENCE:
            yield block.start + start, block.start + end
        else:
            yield from _groups_of_lines(text, block.start + start, block.start + end)


def _groups_of_lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    group: tuple[int, int] | None = None
    for line in _LINE.finditer(text, start, end):
        line_start, line_end = trimmed(text, *line.span())
        if line_start == line_end:
            continue
        if group is not None and line_end - group[0] > LINES_TOGETHER:
            yield group
            group = None
        group = (group[0] if group else line_start, line_end)
    if group is not None:
        yield group
