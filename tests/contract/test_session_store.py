"""Both stores of sessions keep the port's promise: the table on the emulator, and the one in memory of unit tests."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.dynamodb.security_events import DynamoSecurityEvents
from shared.adapters.dynamodb.sessions import DynamoSessions
from shared.adapters.dynamodb.users import DynamoUsers, account_items
from shared.identity.security_events import SecurityEventKind, new_event
from shared.identity.sessions import SessionStore, new_session
from shared.identity.users import PasswordChangedMeanwhileError, User
from shared.kernel.ids import SessionId, TenantId, UserId, new_id
from shared.operations.capabilities import IDENTITY
from tests.clocks import ManualClock
from tests.ingestion.cloud import Cloud
from tests.records import transactions_of
from tests.unit.identity.memory import MemorySessions

pytestmark = pytest.mark.real_server

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
CLOCK = ManualClock()


@pytest.fixture
def user() -> User:
    """Ada, who has no account yet."""
    user_id = UserId(new_id("usr", CLOCK.now()))
    return User(user_id, f"{user_id}@people.example", "Ada", "hash", CLOCK.now())


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, user: User) -> SessionStore:
    if request.param == "memory":
        return MemorySessions({user.user_id: 1})
    cloud: Cloud = request.getfixturevalue("cloud")
    register(cloud, user)
    return DynamoSessions(transactions_of(cloud), cloud.address_of(IDENTITY))


def register(cloud: Cloud, user: User) -> None:
    for item in account_items(user):
        cloud.dynamodb.put_item(TableName=cloud.address_of(IDENTITY), Item=item)


def fresh(user: User, tenant: TenantId = ACME, version: int = 1) -> Any:
    return new_session(tenant, user.user_id, SessionId(new_id("ses", CLOCK.now())), version, CLOCK.now())


async def test_session_is_read_back_as_it_was_added(store: SessionStore, user: User) -> None:
    session, token = fresh(user)

    assert await store.add(session)
    rotated = session.rotate(token, CLOCK.now())
    assert await store.replace(session, rotated)

    assert await store.session(ACME, user.user_id, session.session) == rotated
    assert await store.session(GLOBEX, user.user_id, session.session) is None


async def test_session_of_another_password_is_not_added(store: SessionStore, user: User) -> None:
    session, _ = fresh(user, version=2)
    stranger, _ = fresh(replace(user, user_id=UserId("usr_nobody")))

    assert not await store.add(session)
    assert not await store.add(stranger)
    assert await store.sessions_of(ACME, user.user_id) == []


async def test_sessions_of_one_user_in_one_organisation_are_listed(store: SessionStore, user: User) -> None:
    here = [fresh(user)[0] for _ in range(3)]
    for session in (*here, fresh(user, GLOBEX)[0]):
        assert await store.add(session)

    found = await store.sessions_of(ACME, user.user_id)

    assert {session.session for session in found} == {session.session for session in here}


async def test_of_many_replacements_at_once_one_holds(store: SessionStore, user: User) -> None:
    session, token = fresh(user)
    await store.add(session)

    held = await asyncio.gather(*(store.replace(session, session.rotate(token, CLOCK.now())) for _ in range(20)))

    assert held.count(True) == 1
    stored = await store.session(ACME, user.user_id, session.session)
    assert stored is not None
    assert stored.generation == 2


async def test_ended_session_stays_ended_and_says_so_once(store: SessionStore, user: User) -> None:
    session, token = fresh(user)
    await store.add(session)

    ended = await asyncio.gather(*(store.revoke(session, CLOCK.now()) for _ in range(8)))

    assert ended.count(True) == 1
    assert not await store.replace(session, session.rotate(token, CLOCK.now()))
    stored = await store.session(ACME, user.user_id, session.session)
    assert stored is not None
    assert stored.revoked_at == CLOCK.now()
    assert not stored.is_live(CLOCK.now())


async def test_session_that_is_not_there_cannot_end_or_be_replaced(store: SessionStore, user: User) -> None:
    session, token = fresh(user)

    assert not await store.revoke(session, CLOCK.now())
    assert not await store.replace(session, session.rotate(token, CLOCK.now()))


async def test_event_is_kept_with_the_end_that_it_tells_of(cloud: Cloud, user: User) -> None:
    register(cloud, user)
    table = cloud.address_of(IDENTITY)
    store, events = DynamoSessions(transactions_of(cloud), table), DynamoSecurityEvents(cloud.dynamodb, table)
    tenant = TenantId(f"t-{user.user_id[4:]}")
    session, _ = fresh(user, tenant)
    await store.add(session)
    told = [
        new_event(SecurityEventKind.REFRESH_TOKEN_REUSED, CLOCK.now() + timedelta(seconds=number), user=user.user_id)
        for number in range(5)
    ]

    ended = await asyncio.gather(*(store.revoke(session, CLOCK.now(), event) for event in told))

    assert ended.count(True) == 1
    assert await events.newest(tenant, 10) == [told[ended.index(True)]]


async def test_of_two_changes_of_a_password_one_holds(cloud: Cloud, user: User) -> None:
    register(cloud, user)
    users = DynamoUsers(transactions_of(cloud), cloud.address_of(IDENTITY))

    answers = await asyncio.gather(
        *(users.replace_password(user, f"hash {number}") for number in range(2)), return_exceptions=True
    )
    await users.rehash_password(user, "the old one, late")

    (changed,) = [answer for answer in answers if isinstance(answer, User)]
    assert sum(isinstance(answer, PasswordChangedMeanwhileError) for answer in answers) == 1
    assert changed.password_version == 2
    assert await users.by_email(user.email) == changed
