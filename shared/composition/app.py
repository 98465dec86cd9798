"""All HTTP operations in one process: for tests, the local documentation page and the exported OpenAPI file."""

from fastapi import FastAPI

from shared.composition.services import Services, services_for
from shared.composition.settings import Settings
from shared.operations.declaration import Operation
from shared.operations.http import CallerOf, build_app
from shared.operations.registry import all_operations


def build_whole_app(settings: Settings, caller_of: CallerOf) -> FastAPI:
    """Return the app of every HTTP operation; each gets services limited to its own declaration."""
    built: dict[str, Services] = {}

    def services_of(operation: Operation) -> Services:
        if operation.id not in built:
            built[operation.id] = services_for(operation, settings)
        return built[operation.id]

    return build_app(all_operations(), services_of, caller_of)
