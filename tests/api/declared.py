"""What operations take, as their declarations say it: the parts of paths, queries, headers and bodies."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_type_hints

from pydantic import BaseModel, TypeAdapter

from shared.operations.declaration import HttpTrigger, Operation
from shared.operations.registry import all_operations

ROUTES: Final[Mapping[str, tuple[Operation, HttpTrigger]]] = {
    operation.id: (operation, operation.trigger)
    for operation in all_operations()
    if isinstance(operation.trigger, HttpTrigger)
}

UNKNOWN: Final = {
    "kb_id": "kb_" + "0" * 26,
    "document_id": "doc_" + "0" * 26,
    "key_id": "key_" + "0" * 26,
    "workspace_id": "ws_" + "0" * 26,
    "invitation_id": "inv_" + "0" * 26,
    "provider_id": "idp_" + "0" * 26,
}
"""Ids that nothing has, by the part of a path that holds them."""

BODIES: Final[Mapping[str, dict[str, Any]]] = {
    "add_url_source": {"url": "https://www.example.com/terms.md"},
    "answer_question": {"question": "How long is the notice period?"},
    "change_member_role": {"role": "viewer"},
    "change_member_workspaces": {"workspaces": None},
    "create_api_key": {"name": "machine", "scope": "read"},
    "create_knowledge_base": {"name": "Policies"},
    "create_upload": {"name": "a.md"},
    "create_workspace": {"name": "Sales"},
    "export_audit_log": {"since": "2020-01-01T00:00:00Z"},
    "override_figure": {"value": 1, "expires_at": "2999-01-01T00:00:00Z"},
    "search_knowledge_base": {"query": "notice"},
    "set_plan": {"plan": "professional"},
    "start_tenant_move": {"cell": "main"},
    "update_knowledge_base": {"name": "Taken over"},
    "update_workspace": {"name": "Taken over"},
}
"""A body that fits whoever sends it, for operations that take one."""

Steps = tuple[str, ...]
"""The way into a body; `[]` stands for an element of a list."""


def path_of(name: str, **ids: str) -> str:
    """Return the path of an operation; what is not given is unknown to everybody."""
    path = ROUTES[name][1].path
    return re.sub(r"{(\w+)}", lambda found: ids.get(found[1]) or UNKNOWN.get(found[1], "nobody"), path)


def path_parameters(name: str) -> list[str]:
    return re.findall(r"{(\w+)}", ROUTES[name][1].path)


def body_of(operation: Operation) -> dict[str, Any] | None:
    """Return the JSON schema of an operation's body, None when it takes none."""
    hints = get_type_hints(operation.function)
    models = [kind for name, kind in hints.items() if name != "return" and _is_model(kind)]
    assert len(models) <= 1
    return TypeAdapter(models[0]).json_schema() if models else None


def parameters_of(operation: Operation, route: HttpTrigger) -> set[str]:
    """Return the names of query and header parameters."""
    hints = get_type_hints(operation.function)
    return {
        name
        for name in inspect.signature(operation.function).parameters
        if name not in {"caller", "services"} and f"{{{name}}}" not in route.path and not _is_model(hints[name])
    }


def objects_of(operation: Operation) -> list[tuple[Steps, dict[str, Any]]]:
    """Return the schema of every object in an operation's body, and the way to it."""
    schema = body_of(operation)
    return [] if schema is None else list(_objects_in(schema, schema.get("$defs", {}), ()))


def fields_of(operation: Operation) -> list[Steps]:
    """Return the way to every named field of an operation's body."""
    return [(*path, name) for path, schema in objects_of(operation) for name in schema["properties"]]


def _objects_in(
    schema: dict[str, Any], definitions: Mapping[str, Any], path: Steps
) -> Iterator[tuple[Steps, dict[str, Any]]]:
    if "$ref" in schema:
        yield from _objects_in(definitions[schema["$ref"].rpartition("/")[2]], definitions, path)
        return
    for variant in [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]:
        yield from _objects_in(variant, definitions, path)
    if "items" in schema:
        yield from _objects_in(schema["items"], definitions, (*path, "[]"))
    if "properties" in schema:
        yield path, schema
        for name, inner in schema["properties"].items():
            yield from _objects_in(inner, definitions, (*path, name))


def _is_model(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, BaseModel)
