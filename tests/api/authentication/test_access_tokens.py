"""Access tokens that were good are refused soon after they are not, and new ones work at once (T2)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.kernel.ids import WorkspaceId
from shared.tenancy.models import OPERATORS, Override, TenantStatus
from shared.tenancy.plans import PLANS, PlanName
from tests.api.authentication.ada import ADA, REMEMBERED, put, refused, remove_member
from tests.api.door import services_of_the_door
from tests.api.tenants import new_tenant_name


@pytest.fixture
def token(issuer, tenant):
    return issuer.issue(tenant, ADA, Role.MAINTAINER)


async def test_caller_carries_workspaces_and_the_figures_of_the_plan(door, token, tenant, records, clock):
    place = WorkspaceId("ws_" + "1" * 26)
    await put(records, await records.member(tenant, ADA), workspaces=frozenset({place}))
    override = Override(77, clock.now() + timedelta(seconds=20))
    await put(records, await records.tenant(tenant), overrides={"knowledge_bases": override})

    caller = await door.authenticate(token)

    figures = PLANS[1][PlanName.ENTERPRISE]
    assert caller == Caller(
        tenant, ADA, Role.MAINTAINER, workspaces=frozenset({place}), figures=replace(figures, knowledge_bases=77)
    )
    clock.ahead = timedelta(seconds=20)
    assert (await door.authenticate(token)).figures == figures


async def test_removed_member_is_refused_after_half_a_minute(door, token, tenant, records, clock):
    await door.authenticate(token)
    await remove_member(records, tenant)

    clock.ahead = REMEMBERED

    assert await refused(door, token)


async def test_removed_member_whom_nobody_remembers_is_refused_at_once(door, token, tenant, records):
    await remove_member(records, tenant)

    assert await refused(door, token)


async def test_old_role_is_refused_after_half_a_minute_and_the_new_one_works_at_once(
    door, token, tenant, records, clock, issuer
):
    await door.authenticate(token)
    await put(records, await records.member(tenant, ADA), role=Role.VIEWER)

    assert (await door.authenticate(issuer.issue(tenant, ADA, Role.VIEWER))).role is Role.VIEWER

    clock.ahead = REMEMBERED
    assert await refused(door, token)


async def test_role_that_the_member_does_not_have_is_refused(door, tenant, issuer, token):
    await door.authenticate(token)

    for role in set(Role) - {Role.MAINTAINER}:
        assert await refused(door, issuer.issue(tenant, ADA, role))


async def test_suspended_tenant_is_closed_after_half_a_minute_and_open_again_at_once(
    door, token, tenant, records, clock
):
    await door.authenticate(token)
    await put(records, await records.tenant(tenant), status=TenantStatus.SUSPENDED)
    clock.ahead = REMEMBERED
    assert await refused(door, token)

    await put(records, await records.tenant(tenant), status=TenantStatus.ACTIVE)

    assert (await door.authenticate(token)).tenant == tenant


async def test_expired_token_is_refused_even_while_its_member_is_remembered(door, tenant, clock, issuer):
    token = issuer.issue(tenant, ADA, Role.MAINTAINER, ttl_s=10, now=datetime.now(UTC))
    await door.authenticate(token)

    clock.ahead = timedelta(seconds=10)

    assert await refused(door, token)


async def test_operators_belong_to_the_operators_and_nobody_else_does(door, people, issuer):
    people.enrol(OPERATORS, "olga", Role.OPERATOR)
    assert (await door.authenticate(issuer.issue(OPERATORS, "olga", Role.OPERATOR))).role is Role.OPERATOR

    # Not even a record that says otherwise makes an operator of a customer, or a customer of the operators.
    elsewhere = new_tenant_name()
    people.enrol(elsewhere, "mallory", Role.OPERATOR)
    people.enrol(OPERATORS, "mallory", Role.MAINTAINER)
    assert await refused(door, issuer.issue(elsewhere, "mallory", Role.OPERATOR))
    assert await refused(door, issuer.issue(OPERATORS, "mallory", Role.MAINTAINER))
    assert await refused(door, issuer.issue(OPERATORS, "mallory", Role.OPERATOR))


async def test_member_is_looked_up_once_in_half_a_minute(cloud, clock, token, issuer, tenant):
    services = services_of_the_door(cloud, clock)
    reads = []
    client = services.authentication.adapters.aws.dynamodb
    client.meta.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: reads.append(params["Key"]["sk"]["S"])
    )

    for seconds in range(30):
        clock.ahead = timedelta(seconds=seconds * 0.99)
        await services.authentication.authenticator.authenticate(token)
        await services.authentication.authenticator.authenticate(issuer.issue(tenant, ADA, Role.MAINTAINER))

    assert (reads.count("tenant"), reads.count(f"member#{ADA}")) == (1, 1)
    clock.ahead = REMEMBERED + timedelta(seconds=1)
    await services.authentication.authenticator.authenticate(token)
    assert (reads.count("tenant"), reads.count(f"member#{ADA}")) == (2, 2)


async def test_clock_that_is_set_back_remembers_nobody(door, token, tenant, records, clock):
    clock.ahead = timedelta(minutes=5)
    await door.authenticate(token)
    await remove_member(records, tenant)

    clock.ahead = timedelta()

    assert await refused(door, token)
