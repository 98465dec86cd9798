"""What a PDF's type says about its structure: the size of the body, the styles of headings, the lines that repeat."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.adapters.parsing.formats.pdf_lines import Line

_PROMINENT = 1.12
_LONGEST_HEADING = 160
_MOST_HEADING_LINES = 3
_MOST_STYLES = 5
_RUNNING_SHARE = 0.5
_RUNNING_PAGES = 3
_DIGITS = re.compile(r"\d+")

Style = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class Typography:
    """How a document is set. `heading_styles` come largest first; their place is their level."""

    body: Style
    heading_styles: tuple[Style, ...]
    running: frozenset[str]

    def is_running(self, line: Line) -> bool:
        """Tell whether a line is a header or footer that (but for numbers) stands on most pages."""
        return _pattern(line) in self.running

    def level_of(self, lines: Sequence[Line]) -> int:
        """Return the heading level of lines set alike, 1..6; 0 where they are no heading."""
        text = " ".join(line.text.replace("\t", " ", 1) for line in lines)
        if len(lines) > _MOST_HEADING_LINES or len(text) > _LONGEST_HEADING or not _reads_like_heading(text):
            return 0
        style = style_of(lines[0])
        if style in self.heading_styles:
            return min(6, self.heading_styles.index(style) + 1)
        return 0


def typography_of(pages: Sequence[Sequence[Line]]) -> Typography:
    """Learn from all pages how the document is set."""
    characters: Counter[Style] = Counter()
    on_pages: Counter[str] = Counter()
    for lines in pages:
        on_pages.update({_pattern(line) for line in lines})
        for line in lines:
            characters[style_of(line)] += len(line.text)
    body = characters.most_common(1)[0][0] if characters else (0, False)
    often = max(_RUNNING_PAGES, _RUNNING_SHARE * len(pages))
    running = frozenset(pattern for pattern, count in on_pages.items() if count >= often)
    prominent = [style for style in characters if _is_prominent(style, body)]
    ordered = sorted(prominent, key=lambda style: (-style[0], not style[1]))
    return Typography(body, tuple(ordered[:_MOST_STYLES]), running)


def style_of(line: Line) -> Style:
    return round(line.height), line.is_bold


def _is_prominent(style: Style, body: Style) -> bool:
    height, is_bold = style
    if height >= _PROMINENT * body[0]:
        return True
    return is_bold and not body[1] and height >= body[0] - 1


def _reads_like_heading(text: str) -> bool:
    first = next((character for character in text if character.isalpha()), "")
    return first != "" and "\t" not in text and not first.islower() and text[-1] not in ".,;" and "...." not in text


def _pattern(line: Line) -> str:
    return _DIGITS.sub("#", line.text)
