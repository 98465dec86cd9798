"""The whole API in this process, as the tests of it have it, and what its audit was told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.kernel.ids import TenantId
from shared.tenancy.models import OPERATORS, Override
from shared.tenancy.plans import PlanName
from shared.tenancy.ports import Put
from shared.tenancy.tenants import new_tenant
from tests.api.people import new_person
from tests.api.tenants import Tenant, new_tenant_name
from tests.audit.capture.told import Told
from tests.ingestion.functions import Functions
from tests.isolation.conftest import *  # noqa: F403 (the same API has the same fixtures)
from tests.isolation.estate import Estate


@pytest.fixture(scope="session")
def told(cloud):
    return Told(cloud)


@pytest.fixture
def new_estate(app, cloud, issuer, people, provider, publish, new_client):
    """Make tenants that have nothing yet, each at an internet address of its own."""

    def made():
        tenant = Tenant(new_tenant_name(), new_client(), issuer, cloud, people)
        return Estate(tenant, provider.issuer, new_person(cloud, app, people), publish, operates=True)

    return made


@pytest.fixture
def operators():
    return TenantId(OPERATORS)


@pytest.fixture
def grant_writes(people):
    """Give a tenant so many writes a minute, before it has members."""

    async def granted(tenant, writes):
        now = datetime.now(UTC)
        organisation, place = new_tenant(TenantId(tenant.id), tenant.id, PlanName.ENTERPRISE, now)
        overrides = {"writes_per_minute_per_user": Override(writes, now + timedelta(days=1))}
        await people.records.commit(TenantId(tenant.id), [Put(replace(organisation, overrides=overrides)), Put(place)])

    return granted


@pytest.fixture
def functions_of_all(cloud):
    return Functions(cloud)
