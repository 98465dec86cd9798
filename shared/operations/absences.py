"""What is None is left out of an answer, and the OpenAPI document says so: absent, never null (U1)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_MODELS: Final = "#/components/schemas/"
_NULL: Final = {"type": "null"}


def say_absent_for_null(document: dict[str, Any]) -> None:
    """Describe every nullable field of an answer as one that may be absent. Models that bodies use too stay as is."""
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    models = document["components"]["schemas"]
    of_bodies = _reachable(models, [operation.get("requestBody", {}) for operation in operations])
    of_answers = _reachable(models, [operation["responses"] for operation in operations])
    for name in of_answers - of_bodies:
        model = models[name]
        for field, described in model.get("properties", {}).items():
            if _NULL in described.get("anyOf", ()):
                model["properties"][field] = _without_null(described)
                model["required"] = [other for other in model.get("required", ()) if other != field]
        if not model.get("required", True):
            del model["required"]


def _without_null(described: Mapping[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in described["anyOf"] if kind != _NULL]
    rest = {key: value for key, value in described.items() if key not in ("anyOf", "default")}
    return {**rest, **kinds[0]} if len(kinds) == 1 else {**rest, "anyOf": kinds}


def _reachable(models: Mapping[str, Any], parts: list[Any]) -> set[str]:
    found: set[str] = set()
    left = list(parts)
    while left:
        for name in _named_in(left.pop()):
            if name not in found:
                found.add(name)
                left.append(models[name])
    return found


def _named_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith(_MODELS):
            yield reference.removeprefix(_MODELS)
        for value in part.values():
            yield from _named_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from _named_in(value)
