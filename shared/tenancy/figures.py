"""The limits of one tenant now: its plan's figures, and the operators' overrides as long as they hold (T1)."""

from dataclasses import fields, replace
from datetime import datetime
from typing import Final

from shared.tenancy.models import Tenant
from shared.tenancy.plans import Figures, figures_of

FIGURE_NAMES: Final = tuple(field.name for field in fields(Figures))


def effective_figures(tenant: Tenant, now: datetime) -> Figures:
    """Return the figures of the tenant's plan and version, with each override that has not expired at `now`.

    An unknown plan counts as starter; an override of a figure that plans no longer have is passed over.
    """
    holding = {
        name: override.value
        for name, override in tenant.overrides.items()
        if name in FIGURE_NAMES and now < override.expires_at
    }
    return replace(figures_of(tenant.plan, tenant.plan_version), **holding)
