"""Which variables functions get, from what they declare."""

import pytest

from shared.operations.capabilities import (
    CACHE,
    CELL_REGISTRY,
    CELLS,
    DATABASE_OWNER,
    METADATA,
    SIGN_UP,
    VECTORS,
    Capability,
)
from shared.operations.registry import all_operations
from shared.operations.variables import variables_of

EVERYBODY = {"TESSERA_ENVIRONMENT", "TESSERA_OPERATION"}


@pytest.mark.parametrize(("use", "told"), [
    (METADATA.read, {"TESSERA_METADATA", "TESSERA_TENANT_ROLE"}),
    (CACHE.connect, {"TESSERA_CACHE"}),
    (SIGN_UP, {"TESSERA_SIGN_UP"}),
    (DATABASE_OWNER.sign_in, {"TESSERA_DATABASE_OWNER", "TESSERA_DATABASE_OWNER_SERVER"}),
    (VECTORS.search, {"TESSERA_VECTORS", "TESSERA_VECTOR_CELLS"}),
    (CELLS.read, {"TESSERA_CELLS", "TESSERA_VECTOR_CELLS", "TESSERA_TENANT_ROLE"}),
    (CELL_REGISTRY.read, {"TESSERA_CELLS", "TESSERA_VECTOR_CELLS"}),
], ids=lambda one: one.id if isinstance(one, Capability) else "")  # fmt: skip
def test_a_function_hears_of_what_it_uses(use: Capability, told: set[str]) -> None:
    assert variables_of([use]) == EVERYBODY | told


def test_a_function_without_uses_hears_who_it_is() -> None:
    assert variables_of([]) == EVERYBODY


def test_a_function_hears_of_all_that_it_uses() -> None:
    for operation in all_operations():
        told = variables_of(operation.capabilities)
        assert told == EVERYBODY.union(*(variables_of([use]) for use in operation.capabilities)), operation.id
