"""From printed lines to blocks: headings, list items, table rows, and paragraphs whose wrapped lines are joined."""

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from shared.adapters.parsing.formats.pdf_lines import Line
from shared.adapters.parsing.formats.pdf_typography import Typography, style_of
from shared.adapters.parsing.tables import header_line, looks_like_names
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind

_MARKER = re.compile(r"(?:[-*•‣▪◦●○■□–—·⁃∙➢✓\uf0b7]|o(?=\s)|\(?\d{1,3}(?:\.\d{1,3})*[.)]|\(?[A-Za-z][.)])(?=\s|$)")
_SECTION_NUMBER = re.compile(r"(?:\d{1,2}|[A-Z])(?:\.\d{1,3})*\.?")
# "Report date: 2024-11-15": lines of a form, each for itself.
_LABEL = re.compile(r"[^\W\d_][\w /#&().-]{0,40}:\s\S")
_CAPTION = re.compile(r"(?:figure|fig\.|table|abbildung|abb\.|tabelle|tableau|exhibit)\s*\d", re.IGNORECASE)
_ENDS = ".!?:。！？"
_PARAGRAPH_GAP = 1.4
_NEXT_LINE_GAP = 2.2
_FEWEST_ORNAMENT = 5


def add_page(builder: CanonicalBuilder, lines: Sequence[Line], typography: Typography) -> None:
    """Add the lines of one page to `builder`, in their order."""
    caption = ""
    for group in _groups([line for line in lines if not _is_ornament(line)], typography):
        if _is_table_line(group[0]) and not typography.is_running(group[0]):
            _add_table(builder, group, caption)
            caption = ""
            continue
        level = 0 if typography.is_running(group[0]) else typography.level_of(group)
        if level:
            text = " ".join(_flat(line) for line in group)
            builder.add(BlockKind.HEADING, text, level=level)
            caption = text
        else:
            paragraphs = _paragraphs(group)
            for text in paragraphs:
                kind = BlockKind.LIST_ITEM if _MARKER.match(text) else BlockKind.PARAGRAPH
                builder.add(kind, text)
            caption = paragraphs[-1] if _CAPTION.match(paragraphs[-1]) else ""


def _groups(lines: Sequence[Line], typography: Typography) -> list[list[Line]]:
    """Divide a page into tables, and runs of lines that are set alike and follow one another."""
    groups: list[list[Line]] = []
    for line in lines:
        if groups and _belongs(groups[-1], line, typography):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _belongs(group: list[Line], line: Line, typography: Typography) -> bool:
    last = group[-1]
    if typography.is_running(last) or typography.is_running(line):
        return False
    if _is_table_line(group[0]):
        return _is_table_line(line) or _continues_cell(group, line)
    if _is_table_line(line) or style_of(line) != style_of(last):
        return False
    is_heading = typography.level_of([line]) and typography.level_of([last])
    return not is_heading or 0 < last.bottom - line.bottom <= 1.6 * line.height


def _is_table_line(line: Line) -> bool:
    """Tell whether a line has cells; the marker of a list item and the number of a heading are none."""
    first = line.cells[0].text
    is_numbered = _MARKER.fullmatch(first) or (line.is_bold and _SECTION_NUMBER.fullmatch(first))
    return len(line.cells) > (2 if is_numbered else 1)


def _continues_cell(group: list[Line], line: Line) -> bool:
    """Tell whether a line is the second line of a cell: close below, under a column that is not the first."""
    last = group[-1]
    is_close = 0 < last.bottom - line.bottom <= 1.3 * line.height
    return is_close and any(abs(line.left - cell.left) < line.height for row in group[-3:] for cell in row.cells[1:])


def _add_table(builder: CanonicalBuilder, lines: list[Line], caption: str) -> None:
    """Add table rows; the first row that reads like names is the header of those after it."""
    rows: list[list[Line]] = []
    for line in lines:
        if rows and not _is_table_line(line):
            rows[-1].append(line)
        else:
            rows.append([line])
    texts = ["\n".join(line.text for line in row) for row in rows]
    cells = [[cell.text for line in row for cell in line.cells] for row in rows]
    names_at = next((at for at in range(min(2, len(rows) - 1)) if _names_columns(lines, cells, at)), None)
    builder.begin_table()
    for at, text in enumerate(texts):
        names = cells[names_at] if names_at is not None and at > names_at else ()
        builder.add(BlockKind.TABLE_ROW, text, header=header_line(caption, names))


def _names_columns(lines: list[Line], cells: list[list[str]], at: int) -> bool:
    if not looks_like_names(cells[at : at + 6]):
        return False
    # Without a style of its own, a first row counts as names only when most rows below it have numbers.
    is_styled = lines[at].is_bold and not lines[-1].is_bold
    numeric = sum(any(character.isdigit() for cell in row for character in cell) for row in cells[at + 1 :])
    return is_styled or (
        not any(c.isdigit() for cell in cells[at] for c in cell) and 2 * numeric >= len(cells) - at - 1
    )


def _paragraphs(lines: list[Line]) -> list[str]:
    """Join lines that were only wrapped.

    A line break was the writer's own where the first word of the next line would still have fitted, where the gap is
    wider than usual, or where a list item begins. A hyphen at a line's end keeps its line end: whether it belongs to
    the word cannot be known.
    """
    right = max(line.right for line in lines)
    gaps = [above.bottom - below.bottom for above, below in pairwise(lines)]
    pitch = median([gap for gap in gaps if gap > 0] or [lines[0].height])
    paragraphs = [_flat(lines[0])]
    for (above, line), gap in zip(pairwise(lines), gaps, strict=True):
        text = _flat(line)
        if _goes_on(paragraphs[-1], above, line, gap, pitch, right):
            paragraphs[-1] += ("\n" if paragraphs[-1].endswith("-") else " ") + text
        else:
            paragraphs.append(text)
    return paragraphs


def _goes_on(so_far: str, above: Line, line: Line, gap: float, pitch: float, right: float) -> bool:
    text = _flat(line)
    if _MARKER.match(text) or (_LABEL.match(text) and _LABEL.match(_flat(above))):
        return False
    ends_sentence = so_far[-1] in _ENDS
    if not 0 < gap <= _NEXT_LINE_GAP * pitch:
        # Another column, or far below: only an unfinished sentence goes on there.
        return text[0].islower() and not ends_sentence
    if gap > _PARAGRAPH_GAP * pitch:
        return False
    width_of_character = (line.right - line.left) / max(1, len(text))
    first_word = text.split(maxsplit=1)[0]
    has_room = above.right + (len(first_word) + 1) * width_of_character < right
    return not has_room or (text[0].islower() and not ends_sentence)


def _flat(line: Line) -> str:
    """Return a line of running text; a marker and its text are no cells."""
    return line.text.replace("\t", " ")


def _is_ornament(line: Line) -> bool:
    """Tell whether a line is drawn with characters: rules, dots, stars."""
    return len(line.text) >= _FEWEST_ORNAMENT and not any(character.isalnum() for character in line.text)
