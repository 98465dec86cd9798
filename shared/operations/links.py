"""OpenAPI links: which operations go on where another one ended, derived from what ids look like (U1).

A path parameter is filled from an answer that holds a value of the same pattern (most kinds of ids have one of their
own) or of the same name, or from a path that names the same parameter. Nothing is listed by hand.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_PAGE_TOKEN: Final = "page_token"  # noqa: S105
_NEXT_PAGE: Final = "next_page_token"


class _Value(NamedTuple):
    """A string in an answer: where it stands (a JSON pointer), its pattern, and the name of the model around it."""

    place: str
    pattern: str
    model: str

    @property
    def name(self) -> str:
        return self.place.rpartition("/")[2]


class _Described(NamedTuple):
    """An operation of the document, with the patterns of its path parameters by name."""

    id: str
    content: Mapping[str, Any]
    path_patterns: Mapping[str, str]


def add_links(document: dict[str, Any]) -> None:
    """Add to each successful answer of `document` the operations that its values lead to.

    An answer that is a list leads on from its first item, and to its own next page.
    """
    operations = list(_operations(document))
    for source in operations:
        for status, response in source.content["responses"].items():
            content = response.get("content", {}).get("application/json")
            if not status.startswith("2") or content is None:
                continue
            values = list(_values(document, content["schema"], "", "", depth=3))
            links = {
                target.id: {"operationId": target.id, "parameters": filled}
                for target in operations
                if (filled := _filled(target, source, values))
            }
            if any(value.place == "/" + _NEXT_PAGE for value in values) and _takes(source, _PAGE_TOKEN):
                same = {name: f"$request.path.{name}" for name in source.path_patterns}
                following = same | {_PAGE_TOKEN: f"$response.body#/{_NEXT_PAGE}"}
                links["next_page"] = {"operationId": source.id, "parameters": following}
            if links:
                response["links"] = dict(sorted(links.items()))


def _operations(document: Mapping[str, Any]) -> Iterator[_Described]:
    for item in document["paths"].values():
        for method in _METHODS:
            if method in item:
                content = item[method]
                patterns = {
                    parameter["name"]: parameter["schema"].get("pattern", "")
                    for parameter in content.get("parameters", ())
                    if parameter["in"] == "path"
                }
                yield _Described(content["operationId"], content, patterns)


def _filled(target: _Described, source: _Described, values: Sequence[_Value]) -> dict[str, str]:
    """Return where the path parameters of `target` come from; nothing unless one comes from the answer itself.

    Ids must come from somewhere; other parameters (the name of a figure) are left to whoever follows the link.
    """
    filled: dict[str, str] = {}
    is_from_answer = False
    for name, pattern in target.path_patterns.items():
        place = _place_of(name, pattern, values)
        if name in source.path_patterns:
            filled[name] = f"$request.path.{name}"
        elif place is not None:
            filled[name] = f"$response.body#{place}"
            is_from_answer = True
        elif name.endswith("_id"):
            return {}
    return filled if is_from_answer else {}


def _place_of(name: str, pattern: str, values: Sequence[_Value]) -> str | None:
    """Return the best place of a value of this kind: its own id first, then what has the parameter's name."""
    kind = name.removesuffix("_id")
    same = [value for value in values if pattern and value.pattern == pattern]
    own = [value for value in same if value.name == "id"]
    named = [value for value in same if value.name == name]
    unspecific = [
        value
        for value in values
        if not value.pattern
        and (value.name in (name, kind) or (value.name == "id" and value.model.lower().startswith(kind)))
    ]
    return next((value.place for value in (*own, *named, *same, *unspecific)), None)


def _values(
    document: Mapping[str, Any], schema: Mapping[str, Any], place: str, model: str, depth: int
) -> Iterator[_Value]:
    """Yield every string in an answer, those of a list in its first item."""
    if "$ref" in schema:
        model = schema["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][model]
    if schema.get("type") == "string" or "anyOf" in schema:
        yield _Value(place, str(schema.get("pattern", "")), model)
    elif schema.get("type") == "array" and depth:
        yield from _values(document, schema["items"], f"{place}/0", model, depth - 1)
    elif depth:
        for name, part in schema.get("properties", {}).items():
            yield from _values(document, part, f"{place}/{name}", model, depth - 1)


def _takes(operation: _Described, name: str) -> bool:
    return any(parameter["name"] == name for parameter in operation.content.get("parameters", ()))
