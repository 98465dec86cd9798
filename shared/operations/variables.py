"""Which environment variables a function gets, from its declaration: CDK writes these, and settings read no others."""

from collections.abc import Iterable
from typing import Final

from shared.operations.capabilities import CELLS, VECTORS, Capability, DatabaseOwner, Resource
from shared.operations.tenant_policies import TENANT_ROLE, reaches_tenant_data
from shared.operations.vector_cells import VECTOR_CELLS

ENVIRONMENT: Final = "TESSERA_ENVIRONMENT"
OPERATION: Final = "TESSERA_OPERATION"


def variables_about(resource: Resource) -> frozenset[str]:
    """Return the variables through which whoever uses `resource` hears of it."""
    told = {resource.variable}
    if isinstance(resource, DatabaseOwner):
        told.add(resource.server_variable)
    # Who places organisations, or says where they move to, knows the cells and reaches into none.
    if resource in (VECTORS, CELLS):
        told.add(VECTOR_CELLS)
    return frozenset(told)


def variables_of(capabilities: Iterable[Capability]) -> frozenset[str]:
    """Return all variables that a function with `capabilities` may find; an environment leaves out what it lacks."""
    declared = tuple(capabilities)
    told = {ENVIRONMENT, OPERATION}
    if reaches_tenant_data(declared):
        told.add(TENANT_ROLE)
    return frozenset(told.union(*(variables_about(use.resource) for use in declared)))
