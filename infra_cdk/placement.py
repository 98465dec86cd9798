"""Where a function lives: in AWS's own network, or inside the VPC, with or without a way out."""

from enum import StrEnum

from infra_cdk.settings import Settings
from shared.operations.capabilities import INTERNET, Cache, Resource, SearchIndex
from shared.operations.declaration import Operation


class Placement(StrEnum):
    """Whoever reaches something private lives inside; a way out costs money, so only who declares it has one."""

    OUTSIDE = "outside"
    ISOLATED = "isolated"
    WITH_WAY_OUT = "with-way-out"


def placement_of(operation: Operation, settings: Settings) -> Placement:
    """Return where the function of `operation` lives. Outside the VPC everything reaches the internet anyway."""
    if not any(use.needs_vpc and _is_inside(use.resource, settings) for use in operation.capabilities):
        return Placement.OUTSIDE
    return Placement.WITH_WAY_OUT if INTERNET in operation.capabilities else Placement.ISOLATED


def _is_inside(resource: Resource, settings: Settings) -> bool:
    match resource:
        case SearchIndex():
            return settings.searches_inside
        case Cache():
            return settings.searches_inside and settings.has_cache
        case _:
            return settings.builds_database
