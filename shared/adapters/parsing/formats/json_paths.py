"""JSON: each value on a line of its own, with the path that leads to it."""

import json
import re
from collections.abc import Iterator

from shared.adapters.parsing.encodings import decode
from shared.adapters.parsing.limits import ParseLimits
from shared.adapters.parsing.tables import add_record, key_column
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText
from shared.documents.rejections import RejectionReason, rejected

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")
_PLAIN_KEY = re.compile(r"[^\s.\[\]:]+")

_SCALAR = (str, int, float, bool, type(None))
Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def read_json(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the values of a JSON document with their paths; a list of flat objects becomes records.

    Raises: RejectedDocumentError where it is nested too deeply or is not JSON.
    """
    decoded = decode(content)
    builder = CanonicalBuilder("json", max_characters=limits.characters)
    for warning in decoded.warnings:
        builder.warn(warning)
    text = decoded.text.removeprefix("\ufeff")
    _refuse_depth(text, limits.json_depth)
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise rejected(RejectionReason.MALFORMED) from error
    _add(builder, "", value)
    return builder.build(_title(value))


def _refuse_depth(text: str, limit: int) -> None:
    depth = 0
    for bracket in _BRACKETS.finditer(_STRING.sub("", text)):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > limit:
            raise rejected(RejectionReason.TOO_COMPLEX, "nested too deeply")


def _add(builder: CanonicalBuilder, path: str, value: Json) -> None:
    """Add the scalars that stand directly in `value` as one block, then what is nested in it."""
    if isinstance(value, list) and _is_records(value):
        _add_records(builder, path, value)
        return
    nested: list[tuple[str, Json]] = []
    lines: list[str] = []
    for inner_path, inner in _children(path, value):
        if isinstance(inner, _SCALAR):
            lines.append(_line(inner_path, _shown(inner)))
        elif isinstance(inner, list) and inner and all(isinstance(item, _SCALAR) for item in inner):
            lines.append(_line(inner_path, ", ".join(_shown(item) for item in inner)))
        else:
            nested.append((inner_path, inner))
    builder.begin_table()
    builder.add(BlockKind.TABLE_ROW, "\n".join(line for line in lines if line), header=path)
    for inner_path, inner in nested:
        _add(builder, inner_path, inner)


def _children(path: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            step = key if _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
            yield f"{path}.{step}" if path and not step.startswith("[") else f"{path}{step}", inner
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield f"{path}[{index}]", inner
    else:
        yield path, value


def _is_records(items: list[Json]) -> bool:
    return len(items) > 1 and all(
        isinstance(item, dict) and item and all(isinstance(inner, _SCALAR) for inner in item.values()) for item in items
    )


def _add_records(builder: CanonicalBuilder, path: str, items: list[Json]) -> None:
    names = list(dict.fromkeys(name for item in items if isinstance(item, dict) for name in item))
    rows = [[_shown(item.get(name)) for name in names] for item in items if isinstance(item, dict)]
    key = key_column(names, rows)
    for index, cells in enumerate(rows):
        builder_key = cells[key] if key is not None else ""
        add_record(builder, names, cells, caption=f"{path}[{index}]", key=builder_key)


def _line(path: str, shown: str) -> str:
    return (f"{path}: {shown}" if path else shown) if shown else ""


def _shown(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _title(value: Json) -> str | None:
    if not isinstance(value, dict):
        return None
    title = value.get("title") or value.get("name")
    return title if isinstance(title, str) else None
