"""What a plan allows, where files come in without a caller: read from the identity table, at most a minute late."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.dynamodb.tenant_figures import DynamoTenantFigures
from shared.kernel.ids import TenantId, new_id
from shared.kernel.tenants import TenantContextError
from shared.knowledge.keys import document_id_of, prefix_of
from shared.operations.capabilities import IDENTITY, UPLOADS
from shared.operations.tenants import within
from shared.tenancy.models import Override
from shared.tenancy.plans import STARTER, PlanName, figures_of
from shared.tenancy.ports import Put
from shared.tenancy.tenants import new_tenant
from tests.ingestion.functions import services_of_all
from tests.ingestion.world import SimulatedClock
from tests.records import transactions_of

pytestmark = [pytest.mark.real_server, pytest.mark.slow]


@pytest.fixture
def tenancy(cloud):
    return DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY))


@pytest.fixture
def tenant():
    return TenantId(new_id("acme", datetime.now(UTC)).replace("_", "-"))


async def register(tenancy, tenant, now, **figures):
    organisation, place = new_tenant(tenant, "Acme", PlanName.PROFESSIONAL, now)
    overrides = {name: Override(value, now + timedelta(minutes=5)) for name, value in figures.items()}
    await tenancy.commit(tenant, [Put(replace(organisation, overrides=overrides)), Put(place)])


async def test_a_tenant_nobody_knows_has_the_smallest_plan(cloud, tenant):
    figures = DynamoTenantFigures(transactions_of(cloud), cloud.address_of(IDENTITY), SimulatedClock())

    assert await figures.figures(tenant) == STARTER


async def test_a_plan_is_heeded_within_a_minute_and_an_override_while_it_holds(cloud, tenancy, tenant):
    clock = SimulatedClock()
    figures = DynamoTenantFigures(transactions_of(cloud), cloud.address_of(IDENTITY), clock)
    assert await figures.figures(tenant) == STARTER
    await register(tenancy, tenant, clock.now(), concurrent_documents=77)

    clock.advance(59)
    assert await figures.figures(tenant) == STARTER
    clock.advance(1)

    professional = figures_of(PlanName.PROFESSIONAL)
    assert await figures.figures(tenant) == replace(professional, concurrent_documents=77)
    clock.advance(300)
    assert await figures.figures(tenant) == professional


async def test_a_file_without_room_is_rejected_and_taken_in_once_there_is_some(cloud, functions, tenancy, tenant):
    await register(tenancy, tenant, datetime.now(UTC), storage_bytes=40)
    services, allowed = services_of_all(cloud), replace(figures_of(PlanName.PROFESSIONAL), storage_bytes=40)
    base = await services.knowledge_bases.create(tenant, "Terms", allowed)
    first, second = (document_id_of(_drop(cloud, base, name, 25)) for name in ("a.md", "b.md"))

    await functions.work_off()

    found = {one: await services.catalogue.document(tenant, base.kb_id, one) for one in (first, second)}
    ready = next(one for one, document in found.items() if document.status == "ready")
    refused = found[first if ready == second else second]
    assert (refused.status, refused.reason) == ("rejected", "storage_quota_exhausted")
    assert "25 of 40" in str(refused.reason_detail)
    await services.documents.delete(tenant, base.kb_id, ready)
    await services.documents.retry(tenant, base.kb_id, refused.id, allowed)
    await functions.work_off()
    assert (await services.catalogue.document(tenant, base.kb_id, refused.id)).status == "ready"


def _drop(cloud, base, name, size):
    key = prefix_of(base.tenant, base.kb_id) + name
    body = f"# {name} ".encode()
    cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=key, Body=body + b"x" * (size - len(body)))
    return key


async def test_nobody_hears_a_remembered_plan_of_another_tenant(cloud, tenant):
    figures = DynamoTenantFigures(transactions_of(cloud), cloud.address_of(IDENTITY), SimulatedClock())
    with within(tenant):
        assert await figures.figures(tenant) == STARTER

    with within(TenantId("another")), pytest.raises(TenantContextError):
        await figures.figures(tenant)
