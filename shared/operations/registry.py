"""All operations, found by walking `functions/`: there is no list to forget an entry in."""

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from shared.operations.declaration import ATTRIBUTE, DeclarationError, HttpTrigger, Operation


def operation_of(module: ModuleType) -> Operation:
    """Return the one operation that `module` declares. Raises: DeclarationError for none or several."""
    declared = [
        getattr(value, ATTRIBUTE)
        for value in vars(module).values()
        if hasattr(value, ATTRIBUTE) and getattr(value, "__module__", None) == module.__name__
    ]
    if len(declared) != 1:
        raise DeclarationError(f"{module.__name__} declares {len(declared)} operations; a file declares exactly one.")
    operation: Operation = declared[0]
    return operation


def load_operation(area: str, operation_id: str) -> Operation:
    """Import one operation and nothing else."""
    return operation_of(importlib.import_module(f"functions.{area}.{operation_id}"))


@cache
def all_operations() -> tuple[Operation, ...]:
    """Import every operation, ordered by area and id.

    Raises: DeclarationError, also when two share an id or a route.
    """
    package = importlib.import_module("functions")
    operations = [
        operation_of(importlib.import_module(found.name))
        for found in pkgutil.walk_packages(package.__path__, "functions.")
        if not found.ispkg
    ]
    seen: dict[str, Operation] = {}
    for operation in operations:
        names = [operation.id]
        if isinstance(operation.trigger, HttpTrigger):
            names.append(operation.trigger.route)
        for name in names:
            if name in seen:
                raise DeclarationError(f"{operation.module} and {seen[name].module} both claim {name}.")
            seen[name] = operation
    return tuple(sorted(operations, key=lambda operation: (operation.area, operation.id)))
