"""Workbooks: one page per sheet, one record per row, each value with its column's name; formulas stay text."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from shared.adapters.parsing.containers import Container
from shared.adapters.parsing.limits import ParseLimits
from shared.adapters.parsing.relationships import core_title, main_part, relationships_of
from shared.adapters.parsing.tables import add_grid, add_record, key_column, looks_like_names
from shared.adapters.parsing.xml_reading import stream_xml
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning
from shared.documents.rejections import RejectionReason, rejected

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_BUILT_IN_DATES = frozenset([*range(14, 23), 45, 46, 47])
_DATE_CODE = re.compile(r"[ymdhs]", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_HEADER_SEARCHED_ROWS = 20

Row = dict[int, str]


def read_xlsx(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the text of a workbook. Memory follows the cells that exist, not the range that a sheet claims."""
    container = Container(content, limits)
    builder = CanonicalBuilder("xlsx", max_characters=limits.characters)
    part = main_part(container, "xl/workbook.xml")
    related = relationships_of(container, part)
    targets = {each.kind: each.target for each in related.values()}
    workbook = container.xml(part)
    properties = workbook.find(f"{_S}workbookPr")
    values = _Values(
        shared=_shared_strings(container, targets.get("sharedStrings"), limits),
        date_styles=_date_styles(container, targets.get("styles")),
        counts_from_1904=properties is not None and properties.get("date1904") in ("1", "true"),
    )
    for sheet in workbook.iter(f"{_S}sheet"):
        relationship = related.get(sheet.get(_R_ID, ""))
        if relationship is None or relationship.kind != "worksheet":
            continue
        name = sheet.get("name", "")
        builder.begin_page(name)
        if sheet.get("state") in ("hidden", "veryHidden"):
            builder.warn(DocumentWarning.HIDDEN_TEXT_KEPT)
        rows = list(_rows(container.read(relationship.target), values, limits))
        _add_sheet(builder, name, rows)
    return builder.build(core_title(container))


class _Values:
    """Turns a cell into what its reader sees: shared strings, dates, truth values, formulas without a result."""

    def __init__(self, shared: list[str], date_styles: frozenset[int], *, counts_from_1904: bool) -> None:
        self._shared = shared
        self._date_styles = date_styles
        self._epoch = datetime(1904, 1, 1) if counts_from_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 — no zone

    def text_of(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return "".join(text.text or "" for text in cell.iter(f"{_S}t"))
        value = cell.findtext(f"{_S}v")
        if value is None:
            formula = cell.findtext(f"{_S}f")
            return f"={formula}" if formula else ""
        if kind == "s":
            return self._shared[int(value)] if value.isdecimal() and int(value) < len(self._shared) else ""
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        style = cell.get("s", "")
        if kind == "n" and style.isdecimal() and int(style) in self._date_styles:
            return self._date(value)
        return _readable_number(value) if kind == "n" else value

    def _date(self, value: str) -> str:
        try:
            moment = self._epoch + timedelta(days=round(float(value), 6))
        except (ValueError, OverflowError):
            return value
        if float(value) < 1:
            return moment.strftime("%H:%M")
        return moment.strftime("%Y-%m-%d" if moment.hour == moment.minute == 0 else "%Y-%m-%d %H:%M")


def _rows(content: bytes, values: _Values, limits: ParseLimits) -> Iterator[Row]:
    """Yield the visible cells of each row by column, empty rows left out."""
    characters = 0
    for element in stream_xml(content, f"{_S}row", limits):
        row: Row = {}
        for position, cell in enumerate(element.iter(f"{_S}c")):
            text = values.text_of(cell).strip()
            if text:
                row[_column(cell.get("r", ""), position)] = text
                characters += len(text)
        if characters > limits.characters:
            raise rejected(RejectionReason.TOO_LARGE)
        if row:
            yield row


def _add_sheet(builder: CanonicalBuilder, name: str, rows: list[Row]) -> None:
    header_at = _header_position(rows)
    if header_at is None:
        add_grid(builder, [[row[column] for column in sorted(row)] for row in rows], caption=name)
        return
    for row in rows[:header_at]:
        builder.add(BlockKind.PARAGRAPH, "\t".join(row[column] for column in sorted(row)))
    width = 1 + max(max(row) for row in rows[header_at:])
    names = _dense(rows[header_at], width)
    add_grid(builder, [list(rows[header_at].values())], caption=name)
    records = [_dense(row, width) for row in rows[header_at + 1 :]]
    key = key_column(names, records)
    for cells in records:
        add_record(builder, names, cells, caption=name, key=cells[key] if key is not None else "")


def _header_position(rows: list[Row]) -> int | None:
    """Return which of the first rows names the columns: the first that looks like it and is as wide as what follows."""
    for position in range(min(len(rows) - 1, _HEADER_SEARCHED_ROWS)):
        following = rows[position + 1 : position + 30]
        typical = sorted(len(row) for row in following)[len(following) // 2]
        is_wide = len(rows[position]) >= max(2, 0.6 * typical)
        if (
            typical >= 2
            and is_wide
            and looks_like_names([list(rows[position].values()), *(list(row.values()) for row in following)])
        ):
            return position
    return None


def _dense(row: Row, width: int) -> list[str]:
    return [row.get(column, "") for column in range(width)]


def _column(reference: str, position: int) -> int:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return position
    number = 0
    for letter in match.group(1):
        number = number * 26 + ord(letter) - 64
    return number - 1


def _shared_strings(container: Container, part: str | None, limits: ParseLimits) -> list[str]:
    if part is None:
        return []
    items = stream_xml(container.read(part), f"{_S}si", limits)
    return ["".join(text.text or "" for text in _visible_texts(item)) for item in items]


def _visible_texts(item: Element) -> Iterator[Element]:
    """Yield the text runs of a shared string; phonetic guides repeat the text in another script."""
    for element in item:
        if element.tag == f"{_S}t":
            yield element
        elif element.tag == f"{_S}r":
            yield from element.iter(f"{_S}t")


def _date_styles(container: Container, part: str | None) -> frozenset[int]:
    """Return the cell styles that show a number as a date or a time."""
    if part is None:
        return frozenset()
    root = container.xml(part)
    custom = {each.get("numFmtId"): each.get("formatCode", "") for each in root.iter(f"{_S}numFmt")}
    formats = root.find(f"{_S}cellXfs")
    found = set()
    for index, style in enumerate([] if formats is None else list(formats)):
        number = style.get("numFmtId", "0")
        code = _QUOTED.sub("", custom.get(number, ""))
        if (number.isdecimal() and int(number) in _BUILT_IN_DATES) or (
            code.lower() != "general" and _DATE_CODE.search(code)
        ):
            found.add(index)
    return frozenset(found)


def _readable_number(value: str) -> str:
    """Return a stored number without the noise of its binary form (0.30000000000000004)."""
    try:
        number = float(value)
    except ValueError:
        return value
    return f"{number:.15g}" if "e" not in value.lower() and len(value) > 15 else value
