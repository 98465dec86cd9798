"""What every request body promises, whichever operation it belongs to."""

from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

from shared.operations.declaration import HttpTrigger
from shared.operations.registry import all_operations

BODIES: dict[str, Any] = {
    operation.id: get_type_hints(operation.function)["request"]
    for operation in all_operations()
    if isinstance(operation.trigger, HttpTrigger) and "request" in get_type_hints(operation.function)
}


def parts(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every part of a model's core schema with the names that lead there."""
    if isinstance(schema, dict):
        yield path, schema
        for name, part in schema.items():
            if name == "fields":
                for field, inner in part.items() if isinstance(part, dict) else ():
                    yield from parts(inner, f"{path}.{field}")
            elif name not in ("metadata", "serialization", "config", "cls"):
                yield from parts(part, path)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from parts(part, path)


def test_bodies_were_found():
    assert {"create_knowledge_base", "search_knowledge_base"} <= BODIES.keys()


@pytest.mark.parametrize("name", BODIES)
def test_numbers_and_truth_values_are_taken_to_the_letter(name):
    loose = [
        path
        for path, part in parts(BODIES[name].__pydantic_core_schema__)
        if part.get("type") in ("int", "float", "bool") and not part.get("strict")
    ]

    assert loose == []


@pytest.mark.parametrize("name", BODIES)
def test_moments_are_written_out(name):
    """A date-time of pydantic alone would take a number, and a string of digits."""
    inside = {
        id(part["schema"])
        for _, part in parts(BODIES[name].__pydantic_core_schema__)
        if part.get("type") == "function-before" and part["schema"].get("type") == "datetime"
    }
    bare = [
        path
        for path, part in parts(BODIES[name].__pydantic_core_schema__)
        if part.get("type") == "datetime" and id(part) not in inside
    ]

    assert bare == []


@pytest.mark.parametrize("name", BODIES)
def test_unknown_fields_are_refused(name):
    open_models = [
        part["cls"].__name__
        for _, part in parts(BODIES[name].__pydantic_core_schema__)
        if part.get("type") == "model" and part["cls"].model_config.get("extra") != "forbid"
    ]

    assert open_models == []
