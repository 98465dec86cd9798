"""Every adapter as it is composed, found by looking: whoever adds one need not know of these tests."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import shared.adapters
from shared.cells.models import CellId
from shared.cells.places import place_in
from shared.composition.services import Services
from shared.composition.settings import LOCAL_FOLDER, REGION, Settings
from shared.kernel.ids import TenantId
from shared.operations.capabilities import CACHE, DATABASE, EMBEDDER, FETCH_POLICY, RESOURCES, VECTORS
from shared.operations.fetch_policy import FetchPolicy
from shared.operations.grants import Grants
from shared.operations.registry import all_operations
from shared.operations.tenant_policies import TENANT_ROLE
from shared.operations.variables import ENVIRONMENT
from shared.operations.vector_cells import VECTOR_CELLS, VectorCell, VectorCells
from tests.nobody import NOBODY

_PLACES: Final = [
    place_in(CellId(cell), has_own_index=own) for cell in ("main", "second") for own in (False, True)
]  # fmt: skip


def tenant_methods(kind: type) -> list[str]:
    """Return the public methods whose first argument is a tenant."""
    found = []
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        parameters = list(inspect.signature(method).parameters.values())
        if not name.startswith("_") and len(parameters) > 1 and parameters[1].annotation in (TenantId, "TenantId"):
            found.append(name)
    return found


def adapter_classes() -> set[type]:
    """Return every adapter class that is asked for tenants."""
    modules = [
        importlib.import_module(one.name)
        for one in pkgutil.walk_packages(shared.adapters.__path__, "shared.adapters.")
        if ".migrations" not in one.name
    ]
    return {
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and not getattr(kind, "_is_protocol", False) and tenant_methods(kind)
    }


def composed(folder: Path) -> dict[type, Any]:
    """Return one object of each class that composition builds, of services that may do whatever any function may."""
    found: dict[type, Any] = {}
    for cache in ("", f"redis://{NOBODY}"):
        settings = _settings(folder, cache)
        grants = Grants({use for one in all_operations() for use in one.capabilities}, "any")
        services = Services(grants, settings)
        stores = [services.cells.stores.of(place) for place in _PLACES]
        movable = services.cells._movable.of(CellId("main"))
        for one in _reachable([services, *stores, movable]):
            found.setdefault(type(one), one)
    return found


def _reachable(roots: Iterable[Any]) -> Iterator[Any]:
    """Yield what is built by properties of ours, and what such objects hold."""
    waiting, seen = list(roots), set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, Settings) or not type(one).__module__.startswith("shared."):
            continue
        seen.add(id(one))
        yield one
        for name, attribute in inspect.getmembers_static(type(one)):
            if isinstance(attribute, cached_property | property) and "shared.composition" in type(one).__module__:
                waiting.append(getattr(one, name))
        held = getattr(one, "__dict__", {}) | {
            name: getattr(one, name, None) for name in getattr(type(one), "__slots__", ())
        }
        waiting += held.values()


def _settings(folder: Path, cache: str) -> Settings:
    cells = VectorCells(
        cells=(
            VectorCell(id="main", address="sqlite", region="eu-central-1"),
            VectorCell(id="second", address=f"http://{NOBODY}", region="eu-central-1"),
        )
    )
    return Settings(
        {
            **{one.variable: f"{one.name}-here" for one in RESOURCES},
            **{
                use.resource.variable: "open"
                for op in all_operations()
                for use in op.uses
                if not use.actions + use.actions_within
            },
            ENVIRONMENT: "local",
            REGION: "eu-central-1",
            TENANT_ROLE: "arn:aws:iam::123456789012:role/tessera-any",
            LOCAL_FOLDER: str(folder),
            EMBEDDER.resource.variable: str(folder / "model"),
            VECTORS.variable: "sqlite",
            VECTOR_CELLS: cells.model_dump_json(),
            CACHE.variable: cache,
            DATABASE.variable: f"postgresql://tessera_app@{NOBODY}/tessera",
            FETCH_POLICY.resource.variable: FetchPolicy(reaches_loopback=True, contact="x").model_dump_json(),
        }
    )
