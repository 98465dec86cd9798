"""Where a function lives: in AWS's own network, or inside the VPC, with or without a way out."""

from enum import StrEnum

from infra_cdk.settings import Settings
from shared.operations.capabilities import INTERNET, Cache
from shared.operations.declaration import Operation


class Placement(StrEnum):
    """Whoever reaches something private lives inside; a way out costs money, so only who declares it has one."""

    OUTSIDE = "outside"
    ISOLATED = "isolated"
    WITH_WAY_OUT = "with-way-out"


def placement_of(operation: Operation, settings: Settings) -> Placement:
    """Return where the function of `operation` lives. Outside the VPC everything reaches the internet anyway."""
    reaches_inside = any(
        use.needs_vpc and (settings.has_cache or not isinstance(use.resource, Cache)) for use in operation.capabilities
    )
    if not (settings.uses_vpc and reaches_inside):
        return Placement.OUTSIDE
    return Placement.WITH_WAY_OUT if INTERNET in operation.capabilities else Placement.ISOLATED
