"""Sessions for tenants: asked for once, kept while they are good, forgotten when there are too many."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, NoCredentialsError

from shared.adapters.aws.session_credentials import (
    LIFETIME,
    RENEWED_AT,
    USABLE_UNTIL,
    CallCredentials,
    TenantSessions,
    TenantSessionUnavailableError,
)
from shared.kernel.ids import TenantId
from shared.knowledge.policy import IngestionPolicy
from tests.clocks import ManualClock

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


class Sts:
    """Gives a session per request, an hour long; it can be slow, or give none."""

    def __init__(self, clock):
        self.asked = []
        self.fails = False
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._clock = clock

    def assume_role(self, **asked):
        self.may_answer.wait(5)
        self.asked.append(asked)
        if self.fails:
            raise ClientError({"Error": {"Code": "Throttling"}}, "AssumeRole")
        return {
            "Credentials": {
                "AccessKeyId": f"key-{len(self.asked)}",
                "SecretAccessKey": "secret",
                "SessionToken": f"token of {asked['RoleSessionName']}",
                "Expiration": self._clock.now() + LIFETIME,
            }
        }


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def sts(clock):
    return Sts(clock)


@pytest.fixture
def sessions(sts, clock):
    return TenantSessions(sts, "arn:aws:iam::1:role/r", lambda tenant: json.dumps({"of": tenant}), clock, most=2)


def test_a_session_is_asked_for_with_the_tenants_policy_and_kept(sessions, sts):
    first, again = sessions.credentials(ACME), sessions.credentials(ACME)

    assert first is again
    assert first.token == "token of acme"
    (asked,) = sts.asked
    assert (asked["Policy"], asked["DurationSeconds"]) == ('{"of": "acme"}', 3_600)


def test_each_tenant_has_a_session_of_its_own(sessions):
    assert sessions.credentials(ACME).token != sessions.credentials(GLOBEX).token


def test_a_name_of_one_letter_is_long_enough_for_aws(sessions, sts):
    sessions.credentials(TenantId("a"))

    assert sts.asked[0]["RoleSessionName"] == "a@"


def test_it_is_replaced_long_before_its_end(sessions, sts, clock):
    sessions.credentials(ACME)
    clock.at += LIFETIME - RENEWED_AT
    sessions.credentials(ACME)
    assert len(sts.asked) == 1

    clock.at += timedelta(seconds=1)
    sessions.credentials(ACME)
    assert len(sts.asked) == 2


def test_links_end_before_the_session_that_signed_them_can():
    policy = IngestionPolicy()

    assert max(policy.upload_lifetime_s, policy.download_lifetime_s) < RENEWED_AT.total_seconds()


def test_an_old_session_serves_while_no_new_one_is_to_be_had_and_then_none_does(sessions, sts, clock):
    old = sessions.credentials(ACME)
    sts.fails = True
    clock.at += LIFETIME - USABLE_UNTIL
    assert sessions.credentials(ACME) is old

    clock.at += timedelta(seconds=1)
    with pytest.raises(TenantSessionUnavailableError):
        sessions.credentials(ACME)


def test_many_threads_ask_once(sessions, sts):
    sts.may_answer.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(sessions.credentials, ACME) for _ in range(8)]
        sts.may_answer.set()
        found = {id(one.result()) for one in waiting}

    assert len(found) == len(sts.asked) == 1


def test_a_failure_is_nobody_elses(sessions, sts):
    sts.fails = True
    with pytest.raises(TenantSessionUnavailableError):
        sessions.credentials(ACME)
    sts.fails = False

    assert sessions.credentials(ACME).token == "token of acme"


def test_the_longest_unused_makes_room(sessions, sts):
    for tenant in ("a1", "a2", "a1", "a3", "a1"):
        sessions.credentials(TenantId(tenant))
    assert len(sts.asked) == 3

    sessions.credentials(TenantId("a2"))
    assert len(sts.asked) == 4


def test_a_call_is_signed_for_whom_it_serves_and_else_by_the_functions_own_role(sessions):
    credentials = CallCredentials(Credentials("own", "secret"), lambda: sessions)

    assert credentials.get_frozen_credentials().access_key == "own"
    credentials.serve(ACME)
    assert credentials.get_frozen_credentials().token == "token of acme"
    credentials.serve(None)
    assert credentials.get_frozen_credentials().access_key == "own"


def test_calls_side_by_side_do_not_mix(sessions):
    credentials = CallCredentials(None, lambda: sessions)
    barrier = threading.Barrier(2)

    def call(tenant):
        credentials.serve(tenant)
        barrier.wait(5)
        return credentials.get_frozen_credentials().token

    with ThreadPoolExecutor(2) as pool:
        tokens = list(pool.map(call, [ACME, GLOBEX]))

    assert tokens == ["token of acme", "token of globex"]


def test_a_function_without_credentials_says_so():
    with pytest.raises(NoCredentialsError):
        CallCredentials(None, lambda: pytest.fail("nobody asked for a session")).get_frozen_credentials()
