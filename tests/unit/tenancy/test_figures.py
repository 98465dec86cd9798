from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.ids import TenantId
from shared.tenancy.figures import FIGURE_NAMES, effective_figures
from shared.tenancy.models import Override, Tenant
from shared.tenancy.plans import PLANS, STARTER, PlanName

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
TENANT = Tenant(TenantId("tn-1"), "Acme", NOW, NOW)


@pytest.mark.parametrize("version", PLANS)
@pytest.mark.parametrize("plan", PlanName)
def test_figures_are_those_of_plan_and_version(plan, version):
    tenant = replace(TENANT, plan=plan.value, plan_version=version)

    assert effective_figures(tenant, NOW) == PLANS[version][plan]


def test_figures_of_each_plan_are_those_that_were_promised():
    promised = [
        (f.concurrent_documents, f.documents_per_knowledge_base, f.storage_bytes // 1024**3, f.api_calls_per_hour,
         f.vector_operations_per_minute)
        for f in (PLANS[1][plan] for plan in (PlanName.STARTER, PlanName.PROFESSIONAL, PlanName.ENTERPRISE))
    ]  # fmt: skip

    assert promised == [
        (5, 1_000, 10, 1_000, 100),
        (20, 10_000, 100, 10_000, 500),
        (100, 100_000, 1_000, 100_000, 2_000),
    ]


@pytest.mark.parametrize("plan", ["", "platinum", "STARTER", "Enterprise", "starter "])
def test_unknown_plan_is_starter(plan):
    assert effective_figures(replace(TENANT, plan=plan), NOW) == STARTER


@given(
    overrides=st.dictionaries(
        st.sampled_from([*FIGURE_NAMES, "luck"]), st.tuples(st.integers(1, 10**15), st.integers(-3, 3)), max_size=6
    )
)
def test_each_override_holds_until_it_expires_and_changes_nothing_else(overrides):
    tenant = replace(
        TENANT, overrides={name: Override(value, NOW + timedelta(hours=h)) for name, (value, h) in overrides.items()}
    )

    figures = asdict(effective_figures(tenant, NOW))

    for name, of_plan in asdict(STARTER).items():
        value, hours = overrides.get(name, (of_plan, 0))
        assert figures[name] == (value if hours > 0 else of_plan)
