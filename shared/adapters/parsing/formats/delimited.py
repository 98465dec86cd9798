"""CSV and its kin: one record per row, each value with its column's name; what looks like a formula stays text."""

import csv
from collections.abc import Iterator
from io import StringIO

from shared.adapters.parsing.encodings import decode
from shared.adapters.parsing.limits import ParseLimits
from shared.adapters.parsing.tables import add_grid, add_record, key_column, looks_like_names
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import CanonicalText
from shared.documents.rejections import RejectionReason, rejected

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARACTERS = 50_000


def read_delimited(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the records of a delimited file.

    Raises: RejectedDocumentError for lines, cells or rows beyond the limits, and for a quote that never closes.
    """
    decoded = decode(content)
    builder = CanonicalBuilder("csv", max_characters=limits.characters)
    for warning in decoded.warnings:
        builder.warn(warning)
    text = decoded.text.removeprefix("\ufeff")
    if _longest_line(text) > limits.line_characters:
        raise rejected(RejectionReason.TOO_COMPLEX, "a line is too long")
    rows = [row for row in _rows(text, _delimiter(text), limits) if any(cell.strip() for cell in row)]
    if rows and len(rows) > 1 and looks_like_names([[cell.strip() for cell in row] for row in rows[:6]]):
        names, records = rows[0], rows[1:]
        key = key_column(names, records)
        for cells in records:
            add_record(builder, names, cells, key=cells[key] if key is not None and key < len(cells) else "")
    else:
        add_grid(builder, rows)
    return builder.build()


def _rows(text: str, delimiter: str, limits: ParseLimits) -> Iterator[list[str]]:
    csv.field_size_limit(limits.cell_characters)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if len(row) > limits.columns:
                raise rejected(RejectionReason.TOO_COMPLEX, "a row has too many columns")
            yield row
    except csv.Error as error:
        reason = RejectionReason.TOO_COMPLEX if "limit" in str(error) else RejectionReason.MALFORMED
        raise rejected(reason, f"line {reader.line_num}") from error


def _delimiter(text: str) -> str:
    """Choose the delimiter that divides the most lines into the same number of cells."""
    lines = [line for line in text[:_SAMPLE_CHARACTERS].splitlines()[:30] if line.strip()]

    def agreement(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        return (counts.count(usual) if usual else 0, usual)

    return max(_DELIMITERS, key=agreement)


def _longest_line(text: str) -> int:
    longest = start = 0
    while (end := text.find("\n", start)) != -1:
        longest = max(longest, end - start)
        start = end + 1
    return max(longest, len(text) - start)
