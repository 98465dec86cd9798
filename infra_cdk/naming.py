"""Names of what is deployed: all of them follow from the environment and the declared name."""

from typing import Final

from shared.operations.declaration import Operation

LONGEST_DOMAIN_NAME: Final = 28


def pascal_case(name: str) -> str:
    """Return the construct id of a declared name: `accept-queue` and `accept_queue` become `AcceptQueue`."""
    return "".join(word.capitalize() for word in name.replace("-", "_").split("_"))


def stack_name(environment: str, area: str) -> str:
    """Return, for example, `Tessera-dev-ingestion`."""
    return f"Tessera-{environment}-{area}"


def resource_name(environment: str, name: str) -> str:
    """Return the physical name of a resource that must have a known one, for example `tessera-dev-vectors`."""
    return f"tessera-{environment}-{name}"


def further_domain_name(environment: str, cell: str) -> str:
    """Return the name of a further cell's domain, of which OpenSearch takes 28 characters.

    Raises: ValueError for a cell of too long a name.
    """
    name = resource_name(environment, cell)
    if len(name) > LONGEST_DOMAIN_NAME:
        most = LONGEST_DOMAIN_NAME - len(resource_name(environment, ""))
        raise ValueError(f"vector_cells: {cell} is built, so its id has {most} characters at most.")
    return name


def function_name(environment: str, operation: Operation) -> str:
    """Return the function's name: its suffix is the operation's id."""
    return resource_name(environment, operation.id)
