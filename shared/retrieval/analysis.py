"""What counts as the same word: the one analysis behind keyword search, highlights and term coverage (K7).

Every store indexes and queries exactly these terms, so that stores differ in speed and never in what they find.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from typing import Final, NamedTuple

STOP_WORDS: Final = frozenset(
    ("a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
     "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with")
)  # fmt: skip
"""Lucene's 33 English stop words."""

LONGEST_TERM: Final = 128
"""Characters kept of a term: stores limit the size of one, and nobody types more."""

_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # Hangul: spaced, but particles stick to the words
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uffdc"  # Han, halfwidth forms
    "\U00020000-\U0003ffff]+"
)
_COMBINING_DIACRITICS: Final = re.compile("[\u0300-\u036f]")
_NUMBER_PART: Final = re.compile(r"\d+")


class Term(NamedTuple):
    """A term and the half-open span, in code points, of the text it was read from."""

    text: str
    start: int
    end: int


def analyze(text: str) -> list[str]:
    """Return the terms of `text` in order, repeated as often as they occur; empty for stop words and punctuation.

    >>> analyze("The Café's notices of 1,000.50 units")
    ['cafe', 'notice', '1000.50', '1', '000', '50', 'unit']
    >>> analyze("東京都 AC-2")
    ['東', '東京', '京', '京都', '都', 'ac', '2']
    """
    return [term.text for term in terms(text)]


def terms(text: str, among: Collection[str] | None = None) -> Iterator[Term]:
    """Yield the terms of `text` with their spans, in order of their starts; with `among`, only these.

    Words are compatibility-folded, lower case, without diacritics and without an English plural s. A number with
    inner points or commas gives itself (without commas) and its parts, so that 1,000 meets 1000 and a cell of a
    comma-separated row is found. Scripts written without spaces give single characters and pairs of neighbours.
    """
    for match in _token_pattern().finditer(text):
        token = match.group()
        if token.isascii() and match.lastgroup == "word":
            # Nearly every token of most texts, so the short way: no term is made that nobody wants.
            word = _normal_word(token[:LONGEST_TERM])
            if word and (among is None or word in among):
                yield Term(word, match.start(), match.end())
        else:
            for term in _terms_of_token(token, match.start(), match.lastgroup == "number"):
                if among is None or term.text in among:
                    yield term


def _terms_of_token(token: str, start: int, is_number: bool) -> Iterator[Term]:
    if is_number:
        yield Term(_folded(token.replace(",", ""))[:LONGEST_TERM], start, start + len(token))
        for part in _NUMBER_PART.finditer(token):
            yield Term(_folded(part.group())[:LONGEST_TERM], start + part.start(), start + part.end())
    elif _UNSPACED.search(token):
        yield from _terms_of_mixed_scripts(token, start)
    else:
        yield from _word_at(token, 0, len(token), start)


def _terms_of_mixed_scripts(token: str, offset: int) -> Iterator[Term]:
    position = 0
    for run in _UNSPACED.finditer(token):
        yield from _word_at(token, position, run.start(), offset)
        for index in range(run.start(), run.end()):
            at = offset + index
            yield Term(_folded(token[index]), at, at + 1)
            if index + 1 < run.end():
                yield Term(_folded(token[index : index + 2]), at, at + 2)
        position = run.end()
    yield from _word_at(token, position, len(token), offset)


def _word_at(token: str, start: int, end: int, offset: int) -> Iterator[Term]:
    word = _normal_word(token[start:end][:LONGEST_TERM])
    if word:
        yield Term(word, offset + start, offset + end)


@lru_cache(maxsize=65_536)
def _normal_word(token: str) -> str:
    """Return the term for one word, empty for a stop word."""
    folded = _folded(token)
    for apostrophe in ("'s", "’s"):
        folded = folded.removesuffix(apostrophe)
    return "" if folded in STOP_WORDS else _without_plural_s(folded)


def _folded(token: str) -> str:
    if token.isascii():
        return token.lower()
    # Only Latin, Greek and Cyrillic diacritics go: the marks of other scripts are vowels and tones.
    decomposed = unicodedata.normalize("NFKD", token).casefold()
    composed = unicodedata.normalize("NFC", _COMBINING_DIACRITICS.sub("", decomposed))
    # A few ligatures unfold into several words; a term has no white space.
    return "".join(composed.split())


def _without_plural_s(word: str) -> str:
    """Source: Harman, "How effective is suffixing?", JASIS 42(1), 1991: the S stemmer."""
    if len(word) < 3 or word[-1] != "s" or word[-2] in "us":
        return word
    if word[-2] == "e":
        if len(word) > 3 and word[-3] == "i" and word[-4] not in "ae":
            return word[:-3] + "y"
        if word[-3] in "iaoe":
            return word
    return word[:-1]


@cache
def _token_pattern() -> re.Pattern[str]:
    """Built on first use: Python's word class leaves out the vowel signs of most scripts, which would cut words."""
    code_points = [*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)]
    marks = "".join(chr(point) for point in code_points if unicodedata.category(chr(point))[0] == "M")
    # Unrolled, so that ordinary letters are taken in one stride.
    word = rf"[^\W_]+(?:[{marks}]+[^\W_]*)*"
    return re.compile(rf"(?P<number>\d+(?:[.,]\d+)+)|(?P<word>{word}(?:['’]s(?!\w))?)")
