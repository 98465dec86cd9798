"""Tables as rows: which row names the columns, and how a row reads (K3).

Two layouts. A *grid* (tables inside of documents) keeps its cells as they stand, divided by tabs; the column names
are the row's header. A *record* (CSV, sheets) says the column's name before each value, one value per line, so that a
single value can be found and quoted with what it means.
"""

from collections.abc import Sequence

from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind
from shared.documents.normalisation import in_one_line

_PROSE_CHARACTERS = 160
_KEY_CHARACTERS = 60


def add_grid(
    builder: CanonicalBuilder, rows: Sequence[Sequence[str]], *, caption: str = "", has_header: bool = False
) -> None:
    """Add the rows of a table; a row of names becomes the header of those after it, and stays a row of its own."""
    visible = [cells for cells in ([cell.strip() for cell in row] for row in rows) if any(cells)]
    if not visible:
        return
    builder.begin_table()
    names = visible[0] if has_header or looks_like_names(visible) else None
    header = header_line(caption, names or ())
    for index, cells in enumerate(visible):
        own_header = in_one_line(caption) if names is not None and index == 0 else header
        builder.add(BlockKind.TABLE_ROW, _grid_row(cells), header=own_header)


def add_record(
    builder: CanonicalBuilder, names: Sequence[str], cells: Sequence[str], *, caption: str = "", key: str = ""
) -> None:
    """Add one record as `name: value` lines; empty values are left out. `key` says which record it is."""
    lines = []
    for index, cell in enumerate(cells):
        value = cell.strip()
        if value:
            name = in_one_line(names[index]) if index < len(names) else ""
            lines.append(f"{name}: {value}" if name else value)
    builder.begin_table()
    builder.add(BlockKind.TABLE_ROW, "\n".join(lines), header=header_line(caption, [key] if key else ()))


def header_line(caption: str, names: Sequence[str]) -> str:
    """Return caption and column names in one line, as `Block.header` has it."""
    listed = " | ".join(in_one_line(name) for name in names if name.strip())
    return ": ".join(part for part in (in_one_line(caption).rstrip(" :."), listed) if part)


def looks_like_names(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row names columns: short, distinct, wordy, and followed by something."""
    if len(rows) < 2:
        return False
    first = [cell for cell in rows[0] if cell]
    if len(first) < 2 or len(first) < 0.6 * max(len([cell for cell in row if cell]) for row in rows[1:6]):
        return False
    return len(set(first)) == len(first) and all(
        len(cell) <= _KEY_CHARACTERS and not _is_number(cell) for cell in first
    )


def key_column(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """Return the column that best says which record a row is: distinct, wordy values of moderate length.

    A column that is called a name wins over one that is not; then the leftmost. None where no column qualifies.
    """
    best: tuple[float, int] | None = None
    sample = rows[:300]
    for column in range(len(names)):
        values = [row[column].strip() for row in sample if column < len(row) and row[column].strip()]
        if len(values) < 0.8 * len(sample) or not values:
            continue
        distinct = len(set(values)) / len(values)
        wordy = sum(any(character.isalpha() for character in value) for value in values) / len(values)
        length = sum(map(len, values)) / len(values)
        if distinct < 0.8 or wordy < 0.8 or not 2 <= length <= _KEY_CHARACTERS:
            continue
        named = any(word in names[column].lower() for word in ("name", "title", "titel", "nom", "label", "bezeichnung"))
        readable = sum(value.isascii() for value in values) / len(values)
        score = 2.0 * named + readable + (0.5 if length >= 4 else 0.0)
        if best is None or score > best[0]:
            best = (score, column)
    return best[1] if best else None


def _grid_row(cells: Sequence[str]) -> str:
    if any(len(cell) > _PROSE_CHARACTERS for cell in cells):
        return "\n".join(cell for cell in cells if cell)
    return "\t".join(in_one_line(cell) for cell in cells).strip("\t")


def _is_number(cell: str) -> bool:
    return not any(character.isalpha() for character in cell)
