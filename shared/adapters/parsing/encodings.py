"""From bytes to characters when nobody says which encoding: Unicode first, then declared, then the likeliest."""

import codecs
import re
from typing import NamedTuple

from shared.documents.canonical import DocumentWarning
from shared.documents.rejections import RejectionReason, rejected

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\r\f\v\x1a\x1b\x1c\x1d\x1e\x1f"))
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
# In Western text a high byte is a letter beside a plain letter, or a lone sign such as a dash or a currency.
_WESTERN = re.compile(
    rb"(?<=[A-Za-z])[\xc0-\xff]{1,2}(?![\x80-\xff])|(?<![\x80-\xff])[\xc0-\xff]{1,2}(?=[A-Za-z])"
    rb"|(?<![\x80-\xff])[\x80-\xbf](?![\x80-\xff])"
)
_JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff\uff01-\uff5e\u3000-\u303f]")
_HALF_WIDTH_KANA = re.compile(r"[\uff61-\uff9f]")
_WORD = re.compile(r"[^\W\d_]+")
_DECLARED = re.compile(rb"(?:charset\s*=\s*[\"']?|encoding\s*=\s*[\"'])([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_SAMPLE_BYTES = 200_000


class Decoded(NamedTuple):
    text: str
    warnings: tuple[DocumentWarning, ...]


def decode(content: bytes, *, declared: str | None = None) -> Decoded:
    """Return the text of `content`; a guessed encoding and replaced bytes are said in the warnings.

    Raises: RejectedDocumentError for content that is not text.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _exact_or_replaced(content, encoding, guessed=False)
    if b"\x00" in content[:_SAMPLE_BYTES]:
        return _exact_or_replaced(content, _wide_encoding(content), guessed=True)
    _refuse_binary(content)
    try:
        return Decoded(content.decode("utf-8"), ())
    except UnicodeDecodeError:
        return _decode_legacy(content, declared)


def declared_encoding(head: bytes) -> str | None:
    """Return the encoding that an HTML or XML head declares, where Python knows it."""
    match = _DECLARED.search(head[:4096])
    return known_encoding(match.group(1).decode("ascii")) if match else None


def known_encoding(name: str) -> str | None:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _exact_or_replaced(content: bytes, encoding: str, *, guessed: bool) -> Decoded:
    warnings = (DocumentWarning.ENCODING_GUESSED,) if guessed else ()
    try:
        return Decoded(content.decode(encoding), warnings)
    except UnicodeDecodeError:
        return Decoded(content.decode(encoding, "replace"), (*warnings, DocumentWarning.BYTES_REPLACED))


def _wide_encoding(content: bytes) -> str:
    """Return the UTF-16 or UTF-32 flavour that the places of the zero bytes betray."""
    sample = content[:4096]
    zeros = [sum(1 for at in range(place, len(sample), 4) if sample[at] == 0) for place in range(4)]
    quarter = max(1, len(sample) // 4)
    often = [count / quarter > 0.6 for count in zeros]
    patterns = {
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
    }
    encoding = patterns.get((often[0], often[1], often[2], often[3]))
    if encoding is None:
        raise rejected(RejectionReason.NOT_TEXT)
    return encoding


def _refuse_binary(content: bytes) -> None:
    sample = content[:_SAMPLE_BYTES]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls > max(2, len(sample) // 200):
        raise rejected(RejectionReason.NOT_TEXT)


def _decode_legacy(content: bytes, declared: str | None) -> Decoded:
    if declared and declared not in ("utf-8", "ascii"):
        return _exact_or_replaced(content, declared, guessed=False)
    high = len(_HIGH.findall(content, 0, _SAMPLE_BYTES))
    in_utf8 = sum(len(found) for found in _UTF8_SEQUENCE.findall(content, 0, _SAMPLE_BYTES))
    if in_utf8 * 5 > high * 4:
        return _exact_or_replaced(content, "utf-8", guessed=False)
    return _exact_or_replaced(content, _likeliest(content, high), guessed=True)


def _likeliest(content: bytes, high: int) -> str:
    """Choose a one- or two-byte encoding. Short Japanese and Western texts are where general detectors err."""
    for encoding in ("cp932", "euc_jp"):
        if _is_japanese(content, encoding):
            return encoding
    if high * 5 > min(len(content), _SAMPLE_BYTES):
        from charset_normalizer import from_bytes  # 30 ms to import, seldom needed

        best = from_bytes(content[:_SAMPLE_BYTES]).best()
        if best is not None and known_encoding(best.encoding) and not _mixes_scripts(str(best)):
            return best.encoding
    western = sum(len(found) for found in _WESTERN.findall(content, 0, _SAMPLE_BYTES))
    # Otherwise stray bytes in Unicode: replacing them says more truly what the file holds.
    return "cp1252" if western * 2 > high else "utf-8"


def _mixes_scripts(text: str) -> bool:
    """Tell whether words mix plain letters with another alphabet: a wrong guess does, people do not."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    mixed: int = sum(any(letter.isascii() for letter in word) and max(word) > "\u0370" for word in words)
    return mixed * 20 > len(words)


def _is_japanese(content: bytes, encoding: str) -> bool:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return False
    other = sum(1 for character in text if ord(character) > 0x7F)
    return (
        bool(other) and len(_JAPANESE.findall(text)) / other > 0.8 and len(_HALF_WIDTH_KANA.findall(text)) / other < 0.2
    )
