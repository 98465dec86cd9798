"""Ids chosen for requests that may be repeated, on the real table, under a clock that a test moves."""

import asyncio
from datetime import timedelta

import pytest

from shared.adapters.dynamodb.request_memory import DynamoRequestMemory
from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.kernel.ids import IdempotencyKey, TenantId, UserId
from shared.kernel.repeated_requests import IdempotencyKeyReusedError, RepeatedRequests
from shared.operations.capabilities import METADATA
from tests.api.tenants import new_tenant_name
from tests.clocks import ManualClock

KEY = IdempotencyKey("k-1")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def requests(cloud, clock):
    return RepeatedRequests(DynamoRequestMemory(cloud.dynamodb, cloud.address_of(METADATA)), clock)


@pytest.fixture
def caller():
    return Caller(TenantId(new_tenant_name()), UserId("ada"), Role.OWNER)


async def test_no_key_means_a_new_id_each_time(requests, caller):
    assert await requests.choose_id(caller, "kb", None, "a") != await requests.choose_id(caller, "kb", None, "a")


async def test_of_many_at_once_all_get_the_id_of_the_first(requests, caller):
    ids = await asyncio.gather(*(requests.choose_id(caller, "kb", KEY, "a") for _ in range(10)))

    assert len(set(ids)) == 1


async def test_kinds_do_not_share_keys(requests, caller):
    assert await requests.choose_id(caller, "kb", KEY, "a") != await requests.choose_id(caller, "upload", KEY, "a")


async def test_another_request_under_the_same_key_is_refused(requests, caller):
    await requests.choose_id(caller, "upload", KEY, "kb_1", "a")

    with pytest.raises(IdempotencyKeyReusedError):
        await requests.choose_id(caller, "upload", KEY, "kb_2", "a")


async def test_key_is_forgotten_after_a_day_even_while_its_record_is_still_there(requests, caller, clock):
    first = await requests.choose_id(caller, "kb", KEY, "a")
    clock.at += timedelta(hours=23, minutes=59)
    assert await requests.choose_id(caller, "kb", KEY, "a") == first

    clock.at += timedelta(minutes=1)

    assert await requests.choose_id(caller, "kb", KEY, "b") != first
