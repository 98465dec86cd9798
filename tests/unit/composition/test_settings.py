"""A function reads the settings that a deployment tells it, and no others, wherever it runs."""

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from shared.composition.services import services_for
from shared.composition.settings import OF_THE_PROCESS, MissingSettingError, Settings
from shared.operations.capabilities import (
    CACHE,
    CELLS,
    DATABASE,
    DATABASE_OWNER,
    EMBEDDER,
    FETCH_POLICY,
    IDENTITY,
    METADATA,
    RESOURCES,
    SIGN_UP,
    VECTORS,
    Capability,
)
from shared.operations.grants import UndeclaredUseError
from shared.operations.registry import load_operation
from shared.operations.tenant_policies import TENANT_ROLE
from shared.operations.variables import ENVIRONMENT, OPERATION, variables_of
from shared.operations.vector_cells import VECTOR_CELLS, VectorCell, VectorCells

TWO_CELLS = VectorCells(
    cells=(VectorCell(id="main", address="sqlite", region="here"), VectorCell(id="west", address="a", region="there"))
)
ALL = {
    **{one.variable: f"{one.name}-here" for one in RESOURCES},
    ENVIRONMENT: "local",
    OPERATION: "samples.sample",
    TENANT_ROLE: "arn",
    VECTOR_CELLS: TWO_CELLS.model_dump_json(),
    SIGN_UP.resource.variable: "open",
}


class Watched(dict[str, str]):
    """Variables that know which of them were asked for."""

    def __init__(self) -> None:
        super().__init__(ALL)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return super().__getitem__(key)


@pytest.mark.parametrize(("read", "use"), [
    (lambda settings: settings.tenant_role, METADATA.read),
    (lambda settings: settings.fetch_policy, FETCH_POLICY),
    (lambda settings: settings.cells, VECTORS.search),
    (lambda settings: settings.home_cell, CELLS.read),
    (lambda settings: settings.has_places, CELLS.read),
    (lambda settings: settings.model_folder, EMBEDDER),
    (lambda settings: settings.cache_address, CACHE.connect),
    (lambda settings: settings.database_address, DATABASE.connect),
    (lambda settings: settings.database_server, DATABASE_OWNER.sign_in),
    (lambda settings: settings.database_owner_secret, DATABASE_OWNER.sign_in),
    (lambda settings: settings.address_of(IDENTITY), IDENTITY.read),
])  # fmt: skip
def test_what_is_told_to_others_is_not_read(read: Callable[[Settings], object], use: Capability) -> None:
    told = {**ALL, FETCH_POLICY.resource.variable: "{}"}

    read(Settings(told).told_to([use]))
    with pytest.raises(UndeclaredUseError):
        read(Settings(told).told_to([SIGN_UP]))


@pytest.mark.parametrize("uses", [[], [SIGN_UP], [METADATA.read], [CELLS.read], [VECTORS.write]], ids=str)
def test_no_setting_is_read_past_that(uses: list[Capability]) -> None:
    variables = Watched()
    settings = Settings(variables).told_to(uses)

    for name, _ in inspect.getmembers_static(Settings, lambda member: isinstance(member, property)):
        with suppress(UndeclaredUseError, MissingSettingError):
            getattr(settings, name)
    for resource in RESOURCES:
        with suppress(UndeclaredUseError):
            settings.address_of(resource)
    settings.known_addresses()

    assert {ENVIRONMENT, OPERATION} <= variables.asked
    assert variables.asked <= variables_of(uses) | OF_THE_PROCESS


def test_who_only_places_somebody_hears_of_the_cells_and_of_no_index() -> None:
    settings = Settings(ALL).told_to([CELLS.write])

    assert [cell.id for cell in settings.cells] == ["main", "west"]
    assert set(settings.known_addresses().values()) == {CELLS.name}


def test_each_operation_gets_settings_of_its_own() -> None:
    settings = Settings(ALL)

    assert services_for(load_operation("tenancy", "sign_up"), settings)._settings.has_places
    with pytest.raises(UndeclaredUseError, match=VECTOR_CELLS):
        _ = services_for(load_operation("identity", "get_token_keys"), settings)._settings.has_places
