"""From the lines of a page to paragraphs: lines that were only wrapped belong together."""

import re
from collections.abc import Iterable

_STARTS_ITEM = re.compile(r"(?:[-*•‣▪◦●○■□–—·⁃∙➢✓]|\(?\d{1,3}(?:\.\d{1,3})*[.)]|\(?[A-Za-z][.)])\s")
_ENDS = ".!?:;。！？"
_WRAPPED_FROM = 0.66
_NEIGHBOURS = 6


def joined_lines(lines: Iterable[str]) -> list[str]:
    """Return paragraphs: a line joins the one before it where that one was full, or where it goes on in small letters.

    Full means as long as the lines around it, since a column may be narrow and the next one wide. A hyphen at the end
    of a line keeps its line end: whether it belongs to the word cannot be known.
    """
    visible = [line.strip() for line in lines]
    paragraphs: list[str] = []
    for index, line in enumerate(visible):
        if not line:
            continue
        previous = visible[index - 1] if index else ""
        if paragraphs and previous and _goes_on(previous, line, _usual_width(visible, index)):
            paragraphs[-1] += ("\n" if previous.endswith("-") else " ") + line
        else:
            paragraphs.append(line)
    return paragraphs


def _usual_width(lines: list[str], index: int) -> int:
    return max(len(line) for line in lines[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS])


def _goes_on(previous: str, line: str, width: int) -> bool:
    if _STARTS_ITEM.match(line):
        return False
    is_full = len(previous) >= _WRAPPED_FROM * width
    if line[0].islower():
        return is_full or previous[-1] not in _ENDS
    if previous[-1] in _ENDS:
        return is_full and len(previous) >= 0.85 * width
    return is_full and len(previous) > 30
