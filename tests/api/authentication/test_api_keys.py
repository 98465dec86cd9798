"""API keys act for their creators, who may lose what the keys need; used ones say when they were used (T3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.dynamodb.api_keys import DynamoApiKeys
from shared.identity.api_keys import ApiKeys
from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.identity.security_events import SecurityEventKind, new_event
from shared.kernel.ids import ApiKeyId, WorkspaceId, new_id
from shared.operations.capabilities import IDENTITY
from shared.tenancy.models import TenantStatus
from shared.tenancy.plans import PLANS, PlanName
from shared.tenancy.ports import Put
from tests.api.authentication.ada import ADA, REMEMBERED, put, refused, remove_member
from tests.api.door import services_of_the_door
from tests.aws_answers import refusal
from tests.records import transactions_of


@pytest.fixture
def stored_keys(cloud):
    return DynamoApiKeys(transactions_of(cloud), cloud.address_of(IDENTITY))


@pytest.fixture
def create_key(stored_keys, records, clock, tenant):
    async def create(*permissions, **limits):
        caller = Caller(tenant, ADA, Role.MAINTAINER)
        return await ApiKeys(stored_keys, records, clock).create(
            caller, ApiKeyId(new_id("key", clock.now())), "machine", permissions or {Permission.SEARCH}, **limits
        )

    return create


def an_event(clock):
    return new_event(SecurityEventKind.API_KEY_REVOKED, clock.now())


async def test_key_acts_for_its_creator_within_its_permissions(door, create_key, tenant):
    key, bearer = await create_key(Permission.SEARCH, Permission.DOCUMENT_READ)

    caller = await door.authenticate(str(bearer))

    assert (caller.tenant, caller.user, caller.role, caller.key_id) == (tenant, ADA, Role.MAINTAINER, key.key_id)
    assert {held for held in Permission if caller.holds(held)} == {Permission.SEARCH, Permission.DOCUMENT_READ}
    assert caller.principal == key.key_id
    assert caller.figures == PLANS[1][PlanName.ENTERPRISE]


async def test_revoked_key_is_refused_after_half_a_minute(door, create_key, stored_keys, clock):
    key, bearer = await create_key()
    await door.authenticate(str(bearer))
    await stored_keys.revoke(key.tenant, key.key_id, clock.now(), clock.now(), an_event(clock))

    clock.ahead = REMEMBERED

    assert await refused(door, bearer)


async def test_expired_key_is_refused_even_while_it_is_remembered(door, create_key, clock):
    _, bearer = await create_key(expires_at=clock.now() + timedelta(seconds=10))
    await door.authenticate(str(bearer))

    clock.ahead = timedelta(seconds=11)

    assert await refused(door, bearer)


async def test_key_ends_with_the_membership_and_does_not_come_back_with_the_next(
    door, create_key, records, tenant, clock, people
):
    _, bearer = await create_key()
    await door.authenticate(str(bearer))
    member = await records.member(tenant, ADA)
    await remove_member(records, tenant)
    clock.ahead = REMEMBERED
    assert await refused(door, bearer)

    again = clock.now()
    await records.commit(tenant, [Put(replace(member, created_at=again, updated_at=again, revision=0))])

    assert await refused(door, bearer)
    _, fresh = await create_key()
    assert (await door.authenticate(str(fresh))).user == ADA


async def test_key_acts_as_the_role_that_its_creator_has_when_it_is_used(door, create_key, records, tenant, clock):
    _, bearer = await create_key(Permission.DOCUMENT_READ, Permission.DOCUMENT_WRITE)
    assert (await door.authenticate(str(bearer))).holds(Permission.DOCUMENT_WRITE)
    await put(records, await records.member(tenant, ADA), role=Role.VIEWER)

    clock.ahead = REMEMBERED
    caller = await door.authenticate(str(bearer))

    assert (caller.role, caller.holds(Permission.DOCUMENT_WRITE)) == (Role.VIEWER, False)
    assert caller.holds(Permission.DOCUMENT_READ)


async def test_key_reaches_no_workspace_that_its_creator_does_not(door, create_key, records, tenant, clock):
    workspaces = [replace(place, workspace_id=WorkspaceId(f"ws_{digit * 26}"), revision=0)
                  for place in await records.workspaces(tenant, 1) for digit in "123"]  # fmt: skip
    await records.commit(tenant, [Put(place) for place in workspaces])
    one, two, three = (place.workspace_id for place in workspaces)
    _, bearer = await create_key(workspaces=frozenset({one, two}))
    _, unlimited = await create_key()
    assert (await door.authenticate(str(bearer))).workspaces == {one, two}
    assert (await door.authenticate(str(unlimited))).workspaces is None

    await put(records, await records.member(tenant, ADA), workspaces=frozenset({two, three}))
    clock.ahead = REMEMBERED

    assert (await door.authenticate(str(bearer))).workspaces == {two}
    assert (await door.authenticate(str(unlimited))).workspaces == {two, three}


async def test_key_with_a_permission_that_no_key_may_have_does_not_hold_it(door, create_key, stored_keys, clock):
    key, bearer = await create_key()
    tampered = replace(key, key_id=ApiKeyId(new_id("key", clock.now())), permissions=frozenset(Permission))
    await stored_keys.create(tampered, an_event(clock))

    caller = await door.authenticate(str(replace(bearer, record=tampered.key_id.removeprefix("key_"))))

    for never in (Permission.ACCOUNT, Permission.API_KEY_WRITE):
        assert not caller.holds(never)
    assert caller.holds(Permission.SEARCH)


async def test_key_of_a_suspended_tenant_is_refused(door, create_key, records, tenant):
    _, bearer = await create_key()
    await put(records, await records.tenant(tenant), status=TenantStatus.SUSPENDED)

    assert await refused(door, bearer)


@pytest.mark.parametrize(
    "change",
    {
        "another secret": lambda token: f"{token[:-43]}{'A' * 43}",
        "secret cut": lambda token: token[:-1],
        "secret longer": lambda token: token + "A",
        "secret absent": lambda token: token[:-43],
        "another tenant": lambda token: token.replace("tenant-", "other-"),
        "tenant in capitals": lambda token: token.replace("tenant-", "TENANT-"),
        "tenant with separator": lambda token: token.replace("tenant-", "tenant#"),
        "tenant absent": lambda token: "tsk_." + token.partition(".")[2],
        "key unknown": lambda token: f"{token.partition('.')[0]}.{'0' * 26}.{token[-43:]}",
        "key in capitals": lambda token: token.upper().replace("TSK_TENANT", "tsk_tenant"),
        "line feed": lambda token: token + "\n",
        "nul": lambda token: token + "\x00",
        "leading space": lambda token: " " + token,
        "another kind": lambda token: token.replace("tsk_", "tin_"),
        "kind in capitals": lambda token: token.replace("tsk_", "TSK_"),
        "kind alone": lambda token: "tsk_",
        "its hash": lambda token: token,
        "not ASCII": lambda token: token.replace("tsk_t", "tsk_т"),
        "too long": lambda token: token + "A" * 10_000,
    }.items(),
    ids=lambda pair: pair[0],
)
async def test_forged_key_is_refused(door, create_key, change):
    name, forge = change
    key, bearer = await create_key()
    await door.authenticate(str(bearer))
    sent = f"{str(bearer)[:-43]}{key.secret_hashes[0][:43]}" if name == "its hash" else forge(str(bearer))

    assert await refused(door, sent)


async def test_each_secret_of_a_repeated_creation_opens_the_key(door, create_key, stored_keys, records, tenant, clock):
    key, first = await create_key()
    caller = Caller(tenant, ADA, Role.MAINTAINER)
    await door.authenticate(str(first))

    keys = ApiKeys(stored_keys, records, clock)
    again, second = await keys.create(caller, key.key_id, "m", {Permission.SEARCH})

    assert again.key_id == key.key_id
    assert first.secret != second.secret
    for bearer in (first, second):
        assert (await door.authenticate(str(bearer))).key_id == key.key_id


async def test_use_is_noted_once_a_minute(door, create_key, stored_keys, tenant, clock):
    key, bearer = await create_key()

    async def used_after(seconds):
        clock.ahead = timedelta(seconds=seconds)
        await door.authenticate(str(bearer))
        return (await stored_keys.api_key(tenant, key.key_id)).last_used_at

    first = await used_after(0)
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=5)
    assert [await used_after(seconds) for seconds in (1, 29, 35, 59)] == [first] * 4
    assert await used_after(65) > first + timedelta(seconds=60)


async def test_use_is_noted_once_a_minute_by_all_processes_together(create_key, stored_keys, tenant, clock):
    key, _ = await create_key()
    now = clock.now()
    minute = timedelta(minutes=1)

    for seconds in (0, 30, 59):
        moment = now + timedelta(seconds=seconds)
        assert await stored_keys.note_use(tenant, key.key_id, moment, moment - minute)
    assert (await stored_keys.api_key(tenant, key.key_id)).last_used_at == now

    assert await stored_keys.note_use(tenant, key.key_id, now + minute, now)
    assert (await stored_keys.api_key(tenant, key.key_id)).last_used_at == now + minute


async def test_use_that_cannot_be_noted_is_counted_and_fails_nobody(cloud, clock, telemetry, create_key):
    _, bearer = await create_key()
    services = services_of_the_door(cloud, clock, telemetry)
    client = services.authentication.adapters.aws.dynamodb

    def refused_write(request, **_):
        return refusal(request, "AccessDeniedException")

    client.meta.events.register("before-send.dynamodb.UpdateItem", refused_write)

    caller = await services.authentication.authenticator.authenticate(str(bearer))

    assert caller.holds(Permission.SEARCH)
    assert telemetry.counted == ["api_key_use_not_noted"]
    await services.authentication.authenticator.authenticate(str(bearer))
    assert telemetry.counted == ["api_key_use_not_noted"]


async def test_noting_the_use_of_a_key_that_is_gone_makes_no_key(stored_keys, tenant, clock):
    unknown = ApiKeyId("key_" + "7" * 26)

    await stored_keys.note_use(tenant, unknown, clock.now(), clock.now())
    assert not await stored_keys.revoke(tenant, unknown, clock.now(), clock.now(), an_event(clock))

    assert await stored_keys.api_key(tenant, unknown) is None
