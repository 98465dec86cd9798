"""A tenant's limits and how much of them is used, as the API describes them."""

import math
from collections.abc import Iterable

from shared.kernel.bodies import Description
from shared.limits.admission import Standing
from shared.limits.rules import SECOND_US


class QuotaUse(Description):
    """A limit over time. `allowed` is more than `limit` after a quiet period; all is back after `reset_s` seconds."""

    limit: int
    allowed: int
    used: int
    remaining: int
    reset_s: int

    @classmethod
    def of(cls, standing: Standing) -> "QuotaUse":
        return cls(
            limit=standing.demand.limit.limit,
            allowed=standing.allowed,
            used=standing.used,
            remaining=standing.remaining,
            reset_s=math.ceil(standing.reset_us / SECOND_US),
        )


class HoldingUse(Description):
    """A limit of what there is at once; it comes back when something is deleted or done."""

    limit: int
    used: int


class UsageDescription(Description):
    """What an organisation used of its limits, each by the name of its figure."""

    quotas: dict[str, QuotaUse]
    holdings: dict[str, HoldingUse]


def describe_quotas(standings: Iterable[Standing]) -> dict[str, QuotaUse]:
    return {standing.demand.limit.name: QuotaUse.of(standing) for standing in standings}
