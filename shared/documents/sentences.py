"""Where sentences begin and end, in any script, without a model: what answers quote and chunks are cut at (K4, K8)."""

import re
from itertools import pairwise

Span = tuple[int, int]

# Full stops that need white space after them, and those of scripts that write none.
_SPACED = ".!?…؟۔።։‼⁇⁈⁉"
_UNSPACED = "。！？｡．।॥။៕៖჻"
_CLOSERS = "\"'”’»›)]}」』）】》〉＂＇"
_CANDIDATE = re.compile(rf"[{re.escape(_SPACED + _UNSPACED)}]+[{re.escape(_CLOSERS)}]*(?:\[\d{{1,3}}\])*")

_PARAGRAPH_BREAK = re.compile(r"\n[^\S\n]*\n\s*|[\f\v\x1c-\x1e\u2029]")
_LIST_MARKER = re.compile(
    r"\s*(?:[-*+•‣▪◦●○■□–—·⁃∙➢✓]|\(?\d{1,3}(?:\.\d{1,3})*[.)]|\(?[A-Za-z][.)]|\(?[ivxIVX]{1,5}[.)])\s"
)
# "Capital: Oslo": the lines of a record or a form stand each for itself.
_LABEL = re.compile(r"[^\s:][^:\n]{0,60}: ")
_ONLY_A_NUMBER = re.compile(r"(?:^|[\s(])(?:§\s*)?\d{1,3}(?:\.\d{1,3})*$")
_LAST_WORD = re.compile(r"[^\s(\[\"'“„‘«]+$")
_FIRST_LETTER = re.compile(r"[^\W\d_]|\d")
_LONGEST_WORD_LOOKED_AT = 24

_ABBREVIATION_LIST = """
    dr mr mrs ms prof rev hon jr sr st mt messrs mme mlle
    e.g i.e eg ie cf vs viz al etc approx resp incl excl ca circa
    no nr nos vol vols pp p fig figs eq sec sect ch chap art arts par para app tab ref refs ed eds
    inc ltd co corp dept univ assn bros gov sen rep gen col lt sgt capt cmdr
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun
    u.s u.k u.n e.u u.s.c a.m p.m
    z.b d.h u.a o.ä u.ä bzw usw ggf evtl vgl abs abb hr fr str tel nr bzgl inkl zzgl sog mio mrd
    m mm mlles env ex n° av bd sra srta ud uds núm pág art ej
"""
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())
# These often end a sentence as well: a capital letter after them decides for the end.
_MAY_END_A_SENTENCE = frozenset(
    {"etc", "usw", "al", "a.m", "p.m", "inc", "ltd", "co", "corp", "jr", "sr", "u.s", "u.k", "e.u"}
)
_MONTH_LIST = """
    januar februar märz april mai juni juli august september oktober november dezember
    january february march may june july october december
"""
_MONTHS = frozenset(_MONTH_LIST.split())


def sentence_spans(text: str) -> list[Span]:
    """Return `[start, end)` of every sentence of `text`, in order.

    Spans do not overlap, never begin or end with white space, and together hold every other character. A blank
    line always ends a sentence; a single line break does where a list item, a table row or a heading seems to end.
    Time is linear in the length of the text.
    """
    spans: list[Span] = []
    for start, end in _paragraphs(text):
        for segment_start, segment_end in _segments(text, start, end):
            spans.extend(_sentences(text, segment_start, segment_end))
    return spans


def trimmed(text: str, start: int, end: int) -> Span:
    """Return the span without the white space at its two ends; an empty span where nothing else is in it."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _paragraphs(text: str) -> list[Span]:
    found: list[Span] = []
    start = 0
    for gap in _PARAGRAPH_BREAK.finditer(text):
        found.append((start, gap.start()))
        start = gap.end()
    found.append((start, len(text)))
    return [span for span in found if span[0] < span[1]]


def _segments(text: str, start: int, end: int) -> list[Span]:
    """Divide a paragraph at the line breaks that are not mere wrapping."""
    lines: list[Span] = []
    at = start
    while (line_end := text.find("\n", at, end)) != -1:
        lines.append((at, line_end))
        at = line_end + 1
    lines.append((at, end))
    if len(lines) == 1:
        return lines
    widest = max(line_end - line_start for line_start, line_end in lines)
    segments = [lines[0]]
    for previous, line in pairwise(lines):
        if _is_wrapped(text, previous, line, widest):
            segments[-1] = (segments[-1][0], line[1])
        else:
            segments.append(line)
    return segments


def _is_wrapped(text: str, previous: Span, line: Span, widest: int) -> bool:
    before, after = text[previous[0] : previous[1]].rstrip(), text[line[0] : line[1]]
    if not before or not after.strip():
        return False
    if _LIST_MARKER.match(after) or "\t" in before or "\t" in after or " | " in before or " | " in after:
        return False
    if before[-1] == "-" and before[-2:-1].isalnum():
        return True  # a word that was divided at the end of its line
    if _LABEL.match(before) and _LABEL.match(after):
        return False
    first = _FIRST_LETTER.search(after)
    continues = first is not None and first.group().islower()
    return continues or len(before) >= 0.6 * widest


def _sentences(text: str, start: int, end: int) -> list[Span]:
    found: list[Span] = []
    at = start
    for stop in _CANDIDATE.finditer(text, start, end):
        if stop.start() >= at and _ends_sentence(text, at, stop, end):
            found.append(trimmed(text, at, stop.end()))
            at = stop.end()
    found.append(trimmed(text, at, end))
    return [span for span in found if span[0] < span[1]]


def _ends_sentence(text: str, sentence_start: int, stop: re.Match[str], end: int) -> bool:
    marks = stop.group()
    if marks[0] in _UNSPACED:
        # The full-width full stop also divides numbers.
        return not (marks[0] == "．" and stop.end() < end and text[stop.end()].isalnum())
    if stop.end() >= end:
        return True
    if not text[stop.end()].isspace():
        return False
    following = _next_visible(text, stop.end(), end)
    if following is None:
        return True
    letter = text[following]
    if letter.islower():
        return False
    if marks[0] != "." or marks.startswith(".."):
        return True
    return not _is_abbreviated(text, sentence_start, stop.start(), following, end)


def _is_abbreviated(text: str, sentence_start: int, dot: int, following: int, end: int) -> bool:
    """Tell whether the full stop at `dot` belongs to the word before it rather than to the sentence."""
    before = text[max(sentence_start, dot - _LONGEST_WORD_LOOKED_AT) : dot]
    match = _LAST_WORD.search(before)
    if match is None:
        return False
    word = match.group().casefold()
    if word in _ABBREVIATIONS:
        return not (word in _MAY_END_A_SENTENCE and text[following].isupper())
    if len(word) == 1 and match.group().isupper():
        return True  # an initial: "J. Smith"
    if _ONLY_A_NUMBER.search(before):
        is_list_number = not text[sentence_start : max(sentence_start, dot - len(word))].strip(" \n\t(§")
        return is_list_number or _word_at(text, following, end).casefold() in _MONTHS
    return False


def _next_visible(text: str, at: int, end: int) -> int | None:
    """Return the offset of the next character that can begin a sentence, skipping opening quotes and brackets."""
    while at < end:
        if not text[at].isspace() and text[at] not in "\"'“„‘«([{「『（":
            return at
        at += 1
    return None


def _word_at(text: str, at: int, end: int) -> str:
    stop = at
    while stop < min(end, at + _LONGEST_WORD_LOOKED_AT) and text[stop].isalpha():
        stop += 1
    return text[at:stop]
