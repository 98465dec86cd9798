"""Organisations on record: what every store of them must promise (T1, invariant 4)."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.dynamodb.memberships import DynamoMemberships
from shared.adapters.dynamodb.security_events import DynamoSecurityEvents
from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.dynamodb.users import DynamoUsers
from shared.identity.permissions import Role
from shared.identity.security_events import SecurityEventKind, new_event
from shared.identity.users import User
from shared.kernel.ids import InvitationId, TenantId, UserId, WorkspaceId, new_id
from shared.operations.capabilities import IDENTITY
from shared.tenancy.errors import ChangedMeanwhileError, EmailTakenError
from shared.tenancy.models import (
    Invitation,
    Member,
    Override,
    Tenant,
    TenantPosition,
    TenantStatus,
    Workspace,
    default_workspace_of,
)
from shared.tenancy.ports import Check, Note, Put, Register, Remove
from tests.records import transactions_of
from tests.unit.tenancy.memory import MemoryTenancy

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ADA, BOB = UserId("usr_ada"), UserId("usr_bob")


@pytest.fixture(params=["memory", pytest.param("dynamodb", marks=pytest.mark.real_server)])
def records(request):
    if request.param == "memory":
        return MemoryTenancy()
    cloud = request.getfixturevalue("cloud")
    return DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY))


@pytest.fixture
def acme():
    return Tenant(TenantId(new_id("tn", NOW).replace("_", "-")), "Acme", NOW, NOW)


def member_of(tenant, user_id=ADA, role=Role.VIEWER):
    return Member(tenant.tenant, user_id, role, f"{user_id}@people.example", "Somebody", NOW, NOW)


def new_user(email=None):
    user_id = UserId(new_id("usr", NOW))
    return User(user_id, email or f"{user_id}@people.example", "Ada", "$hash", NOW)


def workspace_of(tenant, name="Sales"):
    return Workspace(tenant.tenant, WorkspaceId(new_id("ws", NOW)), name, NOW, NOW)


def invitation_of(tenant, second=0):
    moment = NOW + timedelta(seconds=second)
    return Invitation(
        tenant.tenant, InvitationId(new_id("inv", moment)), "a@b.example", Role.VIEWER, ("f" * 64,), ADA, moment, moment
    )


async def test_what_was_never_written_is_not_there(records, acme):
    assert await records.tenant(acme.tenant) is None
    assert await records.workspace(acme.tenant, default_workspace_of(acme.tenant)) is None
    assert await records.member(acme.tenant, ADA) is None
    assert await records.invitation(acme.tenant, InvitationId("inv_" + "0" * 26)) is None
    assert await records.members(acme.tenant, 10) == []


async def test_records_come_back_as_they_were_written(records, acme):
    tenant = replace(
        acme,
        plan="platinum",
        plan_version=7,
        status=TenantStatus.SUSPENDED,
        overrides={"storage_bytes": Override(10**15, NOW + timedelta(days=1, microseconds=3))},
        owners=frozenset({ADA, BOB}),
    )
    workspace = workspace_of(acme)
    member = replace(member_of(acme), workspaces=frozenset({workspace.workspace_id}))
    invitation = replace(
        invitation_of(acme), workspaces=frozenset({workspace.workspace_id}), accepted_by=BOB, accepted_at=NOW
    )

    await records.commit(acme.tenant, [Put(tenant), Put(workspace), Put(member), Put(invitation)])

    assert await records.tenant(acme.tenant) == replace(tenant, revision=1)
    assert await records.workspace(acme.tenant, workspace.workspace_id) == replace(workspace, revision=1)
    assert await records.member(acme.tenant, ADA) == replace(member, revision=1)
    assert await records.invitation(acme.tenant, invitation.invitation_id) == replace(invitation, revision=1)


@pytest.mark.parametrize("write", [Put, Check, Remove])
async def test_nothing_happens_when_one_record_is_not_as_it_was_read(records, acme, write):
    await records.commit(acme.tenant, [Put(acme), Put(member_of(acme))])
    stale = replace(acme, revision=7)

    with pytest.raises(ChangedMeanwhileError):
        await records.commit(acme.tenant, [Put(member_of(acme, BOB)), write(stale)])

    assert await records.member(acme.tenant, BOB) is None
    assert (await records.tenant(acme.tenant)).revision == 1


async def test_of_writers_who_read_the_same_one_wins(records, acme):
    await records.commit(acme.tenant, [Put(acme)])
    read = await records.tenant(acme.tenant)

    results = await asyncio.gather(
        *(records.commit(acme.tenant, [Put(replace(read, name=f"N{number}"))]) for number in range(5)),
        return_exceptions=True,
    )

    assert sum(result is None for result in results) == 1
    assert all(result is None or isinstance(result, ChangedMeanwhileError) for result in results)
    assert (await records.tenant(acme.tenant)).revision == 2


async def test_address_is_registered_once_and_with_it_everything_or_nothing(records, acme):
    first, second = new_user(), new_user()
    await records.commit(acme.tenant, [Put(acme), Register(first)])

    with pytest.raises(EmailTakenError):
        await records.commit(acme.tenant, [Put(member_of(acme)), Register(replace(second, email=first.email))])

    assert await records.member(acme.tenant, ADA) is None


async def test_what_changed_outweighs_an_address_that_is_taken(records, acme):
    user = new_user()
    await records.commit(acme.tenant, [Put(acme), Register(user)])

    with pytest.raises(ChangedMeanwhileError):
        await records.commit(acme.tenant, [Put(acme), Register(user)])


async def test_of_two_who_register_one_address_at_once_one_does(records, acme):
    users = [new_user("both@" + acme.tenant + ".example") for _ in range(4)]

    results = await asyncio.gather(
        *(
            records.commit(acme.tenant, [Put(member_of(acme, user.user_id)), Register(user)])
            for user in users
        ),
        return_exceptions=True,
    )  # fmt: skip

    assert sum(result is None for result in results) == 1
    assert len(await records.members(acme.tenant, 10)) == 1


async def test_lists_go_on_where_they_stopped_and_stay_within_the_tenant(records, acme):
    other = replace(acme, tenant=TenantId(acme.tenant + "0"))
    invitations = [invitation_of(acme, second) for second in range(5)]
    await records.commit(acme.tenant, [Put(invitation) for invitation in reversed(invitations)])
    await records.commit(other.tenant, [Put(invitation_of(other))])

    first = await records.invitations(acme.tenant, 2)
    rest = await records.invitations(acme.tenant, 10, first[-1].invitation_id)

    found = [invitation.invitation_id for invitation in first + rest]
    assert found == [invitation.invitation_id for invitation in invitations]


async def test_kinds_of_records_do_not_mix(records, acme):
    workspace = workspace_of(acme)
    await records.commit(acme.tenant, [Put(acme), Put(workspace), Put(member_of(acme)), Put(invitation_of(acme))])

    assert [found.workspace_id for found in await records.workspaces(acme.tenant, 10)] == [workspace.workspace_id]
    assert [found.user_id for found in await records.members(acme.tenant, 10)] == [ADA]
    assert len(await records.invitations(acme.tenant, 10)) == 1


async def test_all_tenants_are_listed_by_their_creation(records, acme):
    tenants = [
        replace(acme, tenant=TenantId(f"{acme.tenant}-{number}"), created_at=NOW + timedelta(seconds=number // 2))
        for number in range(5)
    ]
    for tenant in tenants:
        await records.commit(tenant.tenant, [Put(tenant)])

    seen: list[str] = []
    after = None
    while page := await records.tenants(2, after):
        seen += [tenant.tenant for tenant in page]
        after = TenantPosition(page[-1].created_at, page[-1].tenant)

    # Other tests' organisations may be among them; of one moment, the order is that of the store.
    mine = [tenant for tenant in seen if tenant.startswith(acme.tenant)]
    assert sorted(mine) == [tenant.tenant for tenant in tenants]
    assert [mine.index(tenants[number].tenant) // 2 for number in range(5)] == [0, 0, 1, 1, 2]


async def test_position_in_the_list_of_all_tenants_can_be_written_down():
    position = TenantPosition(NOW + timedelta(microseconds=1), TenantId("tn-1"))

    assert TenantPosition.read(str(position)) == position


async def test_a_commit_speaks_of_one_tenant(records, acme):
    with pytest.raises(ValueError):
        await records.commit(TenantId("other"), [Put(acme)])


@pytest.mark.real_server
async def test_sign_in_finds_members_and_accounts_from_the_moment_they_are_written(cloud, acme):
    table = transactions_of(cloud), cloud.address_of(IDENTITY)
    records, users, memberships = DynamoTenancy(*table), DynamoUsers(*table), DynamoMemberships(*table)
    user = new_user()
    member = member_of(acme, user.user_id)

    await records.commit(acme.tenant, [Put(acme), Put(member), Register(user)])

    assert await users.by_email(user.email) == user
    assert await memberships.tenants_of(user.user_id) == [acme.tenant]
    await records.commit(acme.tenant, [Remove(replace(member, revision=1))])
    assert await memberships.tenants_of(user.user_id) == []


@pytest.mark.real_server
async def test_what_is_noted_is_noted_only_if_it_happened(cloud, acme):
    table = cloud.address_of(IDENTITY)
    records, events = DynamoTenancy(transactions_of(cloud), table), DynamoSecurityEvents(cloud.dynamodb, table)
    event = new_event(SecurityEventKind.ROLE_CHANGED, NOW, user=ADA)

    with pytest.raises(ChangedMeanwhileError):
        await records.commit(acme.tenant, [Put(replace(acme, revision=3)), Note(event)])
    assert await events.newest(acme.tenant, 10) == []
    await records.commit(acme.tenant, [Put(acme), Note(event)])

    assert await events.newest(acme.tenant, 10) == [event]


async def test_who_went_is_remembered_in_that_organisation_alone(records, acme):
    await records.commit(acme.tenant, [Put(acme), Put(member_of(acme)), Put(member_of(acme, BOB))])
    before = await records.member(acme.tenant, ADA)
    assert not await records.was_member(acme.tenant, before.email)

    await records.commit(acme.tenant, [Remove(before)])

    assert await records.was_member(acme.tenant, before.email)
    assert not await records.was_member(acme.tenant, member_of(acme, BOB).email)
    assert not await records.was_member(TenantId("tn-elsewhere"), before.email)
