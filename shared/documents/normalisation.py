"""What is done to every piece of text before it becomes part of a canonical text (K3).

- Line ends become `\\n`; form feeds and Unicode line and paragraph separators too.
- Every kind of space (no-break, ideographic, thin …) becomes U+0020; tabs stay, they divide the cells of a row.
- NUL, other control characters, soft hyphens and lone surrogates are removed.
- Text is composed (NFC). Not NFKC: that would make `2` of `²`, and quotations would differ from their document.
- Characters that nobody sees but a program reads are removed: byte order marks, bidirectional overrides and isolates,
  tag characters, stray variation selectors. Zero-width spaces, joiners and direction marks stay where a script needs
  them (Khmer, Persian, Indic, emoji …), not between Latin letters.
"""

import re
import unicodedata

_LINE_ENDS = re.compile(r"\r\n|[\r\f\v\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_SILENT = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]")
_HIDING = re.compile(r"[\u2060-\u2064\u206a-\u206f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
_BETWEEN_LATIN = r"(?<![\u0590-\U0001ffff]){}(?![\u0590-\U0001ffff])"
_LATIN_ZERO_WIDTH = re.compile(_BETWEEN_LATIN.format(r"[\u200b\u180e]+"))
_LATIN_JOINERS = re.compile(_BETWEEN_LATIN.format(r"[\u200c-\u200f\u061c]+"))
_STRAY_SELECTORS = re.compile(r"(?<=[\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+"
                              r"|(?<![\u2e80-\U0003ffff])[\U000e0100-\U000e01ef]+")  # fmt: skip
_LINE_EDGES = re.compile(r" *\n *")
_MANY_SPACES = re.compile(r" {2,}")


def normalised(text: str) -> tuple[str, bool]:
    """Return `text` in canonical form, and whether characters were removed that hide something from a reader."""
    if text.isascii() and text.isprintable():
        return _MANY_SPACES.sub(" ", text), False
    text = _LINE_ENDS.sub("\n", text)
    text, hiding = _HIDING.subn("", text)
    text, zero_width = _LATIN_ZERO_WIDTH.subn("", text)
    text, selectors = _STRAY_SELECTORS.subn("", text)
    text = _SILENT.sub("", text)
    text = _LATIN_JOINERS.sub("", text)
    text = _SPACES.sub(" ", text)
    text = _LINE_EDGES.sub("\n", _MANY_SPACES.sub(" ", text))
    return unicodedata.normalize("NFC", text), bool(hiding or zero_width or selectors)


def in_one_line(text: str) -> str:
    """Return `text` with every run of white space, line ends included, as one space, and none at the ends."""
    return " ".join(text.split())
