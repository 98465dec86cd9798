"""Plans and their figures, as versioned data (T1, T4). A plan of unknown name counts as starter.

A tenant keeps the version it was given: publishing new figures is a new version here, and changes nobody's silently.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

GIB: Final = 1024**3


class PlanName(StrEnum):
    STARTER = "starter"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class Figures:
    """The limits of one tenant. An operator may override each by name, until a date."""

    concurrent_documents: int
    """How many documents of the tenant are processed at once; the others wait in the queue."""
    documents_per_knowledge_base: int
    storage_bytes: int
    api_calls_per_hour: int
    vector_operations_per_minute: int
    knowledge_bases: int
    tokens_per_day: int
    writes_per_minute_per_user: int


PLANS: Final[dict[int, dict[PlanName, Figures]]] = {
    1: {
        PlanName.STARTER: Figures(5, 1_000, 10 * GIB, 1_000, 100, 10, 100_000, 10),
        PlanName.PROFESSIONAL: Figures(20, 10_000, 100 * GIB, 10_000, 500, 100, 1_000_000, 60),
        PlanName.ENTERPRISE: Figures(100, 100_000, 1_000 * GIB, 100_000, 2_000, 1_000, 10_000_000, 600),
    },
}
"""Figures by version and plan. Source: row T1; bases, tokens and writes beyond starter (T4) are our own."""

LATEST_VERSION: Final = max(PLANS)
STARTER: Final = PLANS[LATEST_VERSION][PlanName.STARTER]


def figures_of(plan: str, version: int = LATEST_VERSION) -> Figures:
    """Return the figures of a plan; an unknown plan is starter, an unknown version the latest (T1)."""
    plans = PLANS.get(version, PLANS[LATEST_VERSION])
    return plans[PlanName(plan)] if plan in set(PlanName) else plans[PlanName.STARTER]
