"""What becomes of requests while the store answers, and while it does not."""

import math
from collections import Counter
from contextlib import nullcontext

import pytest

from shared.kernel.ids import TenantId
from shared.limits.admission import Demand, Settlement
from shared.limits.allowance import MOST_TENANTS, LocalAllowance
from shared.limits.errors import LimitsUnavailableError, QuotaExhaustedError, RateLimitedError
from shared.limits.limiter import CROWDED, DEGRADED, NOT_SETTLED, REFUSED, UNAVAILABLE, Limiter
from shared.limits.quotas import quotas_of
from shared.limits.rules import SECOND_US, Window, per_minute
from shared.tenancy.plans import STARTER
from tests.ambient import reaching_all
from tests.unit.limits.memory import ManualTime, MemoryLimitStore

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
WRITES, LOCAL, CALLS = per_minute("write", 2), per_minute("read (local)", 3), Window("api_calls_per_hour", 5, 3600)


class CountingTelemetry:
    def __init__(self):
        self.counts: Counter[str] = Counter()

    def count(self, name, amount=1):
        self.counts[name] += amount

    def duration(self, name, milliseconds):
        pass

    def span(self, name):
        return nullcontext()

    def flush(self):
        pass


@pytest.fixture
def time():
    return ManualTime()


@pytest.fixture
def store(time):
    return MemoryLimitStore(time)


@pytest.fixture
def telemetry():
    return CountingTelemetry()


@pytest.fixture
def limiter(store, telemetry, time):
    return Limiter(store, telemetry, lambda: time() / SECOND_US)


async def test_refusal_names_what_how_much_and_when(limiter, telemetry):
    for _ in range(2):
        assert (await limiter.admit(ACME, [Demand(WRITES, "ada")], None)).error is None

    refused = (await limiter.admit(ACME, [Demand(WRITES, "ada")], None)).error

    assert isinstance(refused, RateLimitedError)
    assert refused.facts == {"what": "write", "limit": 2, "reset_s": 30}
    assert refused.retry_after_s == 30
    assert telemetry.counts == {REFUSED: 1}


async def test_quota_of_the_organisation_is_another_refusal(limiter):
    for number in range(6):  # 5 and the burst of a tenant that was quiet before
        assert (await limiter.admit(ACME, [Demand(WRITES, f"user {number}"), Demand(CALLS)], None)).error is None

    refused = (await limiter.admit(ACME, [Demand(WRITES, "another"), Demand(CALLS)], None)).error

    assert isinstance(refused, QuotaExhaustedError)
    assert refused.facts["what"] == "api_calls_per_hour"
    assert refused.facts["limit"] == 6
    assert refused.facts["reset_s"] == math.ceil(refused.retry_after_s)
    assert 0 < refused.retry_after_s <= 3600


async def test_all_or_nothing(limiter, store):
    for number in range(6):
        await limiter.admit(ACME, [Demand(WRITES, f"user {number}"), Demand(CALLS)], None)

    refused = await limiter.admit(ACME, [Demand(WRITES, "ada"), Demand(CALLS)], None)

    assert refused.standings[0].remaining == 2


async def test_subjects_and_tenants_are_counted_apart(limiter):
    for tenant, user in ((ACME, "ada"), (ACME, "bob"), (GLOBEX, "ada")):
        for _ in range(2):
            assert (await limiter.admit(tenant, [Demand(WRITES, user)], None)).error is None


async def test_writes_are_refused_while_nobody_can_count(limiter, store, telemetry):
    store.is_down = True

    decision = await limiter.admit(ACME, [Demand(WRITES, "ada")], None)

    assert isinstance(decision.error, LimitsUnavailableError)
    assert decision.error.retry_after_s >= 1
    assert telemetry.counts == {UNAVAILABLE: 1}


async def test_reads_go_on_within_a_local_allowance_and_it_shows(limiter, store, telemetry):
    store.is_down = True

    with reaching_all():
        decisions = [await limiter.admit(ACME, [Demand(WRITES, "ada")], LOCAL) for _ in range(4)]
        of_another = await limiter.admit(GLOBEX, [Demand(WRITES, "ada")], LOCAL)

    assert [decision.is_degraded for decision in decisions] == [True, True, True, False]
    assert isinstance(decisions[-1].error, LimitsUnavailableError)
    assert of_another.is_degraded
    assert telemetry.counts == {UNAVAILABLE: 5, DEGRADED: 4}


async def test_a_tenant_in_its_own_way_stands_in_nobody_elses(limiter, store, telemetry):
    store.crowded = frozenset({ACME})

    refused = [await limiter.admit(ACME, [Demand(CALLS)], LOCAL) for _ in range(5)]
    others = [await limiter.admit(GLOBEX, [Demand(WRITES, "ada")], None) for _ in range(2)]

    assert all(isinstance(decision.error, LimitsUnavailableError) for decision in refused)
    assert [decision.error for decision in others] == [None, None]
    assert telemetry.counts == {CROWDED: 5}


async def test_use_is_not_told_to_a_tenant_in_its_own_way(limiter, store):
    store.crowded = frozenset({ACME})

    with pytest.raises(LimitsUnavailableError):
        await limiter.usage(ACME, STARTER)


async def test_a_dead_store_is_asked_seldom(limiter, store, time):
    store.is_down = True
    for _ in range(100):
        await limiter.admit(ACME, [Demand(WRITES, "ada")], None)
    assert store.asked == 2

    for _ in range(60):
        time.pass_s(1)
        for _ in range(10):
            await limiter.admit(ACME, [Demand(WRITES, "ada")], None)
    assert 2 < store.asked <= 2 + 3 + 60 / 8 + 1


async def test_a_store_that_is_back_counts_again_at_once_for_all(limiter, store, time):
    store.is_down = True
    for _ in range(3):
        await limiter.admit(ACME, [Demand(WRITES, "ada")], None)
    store.is_down = False
    assert (await limiter.admit(ACME, [Demand(WRITES, "ada")], None)).error is not None

    time.pass_s(1)

    assert (await limiter.admit(ACME, [Demand(WRITES, "ada")], None)).error is None
    assert (await limiter.admit(ACME, [Demand(WRITES, "ada")], None)).error is None
    assert isinstance((await limiter.admit(ACME, [Demand(WRITES, "ada")], None)).error, RateLimitedError)


async def test_what_was_not_used_comes_back_and_what_is_not_settled_stays(limiter):
    first = await limiter.admit(ACME, [Demand(CALLS, cost=4)], None)
    (standing,) = first.standings
    assert standing.window is not None
    assert (await limiter.admit(ACME, [Demand(CALLS, cost=4)], None)).error is not None

    await limiter.settle(ACME, [Settlement(CALLS, "", standing.window, 1 - 4)])

    assert (await limiter.admit(ACME, [Demand(CALLS, cost=4)], None)).standings[0].remaining == 1


async def test_settling_asks_nobody_when_the_estimate_was_right(limiter, store):
    await limiter.settle(ACME, [Settlement(CALLS, "", 1, 0)])

    assert store.asked == 0


async def test_settling_that_fails_is_noted_and_harms_no_request(limiter, store, telemetry):
    store.is_down = True

    await limiter.settle(ACME, [Settlement(CALLS, "", 1, -3)])

    assert telemetry.counts == {NOT_SETTLED: 1}


async def test_usage_takes_nothing(limiter):
    for _ in range(3):
        before = await limiter.usage(ACME, STARTER)

    assert [standing.demand.limit for standing in before] == list(quotas_of(STARTER))
    assert [standing.remaining for standing in before] == [1200, 120, 120_000]


async def test_usage_is_not_guessed_while_nobody_can_count(limiter, store):
    store.is_down = True

    with pytest.raises(LimitsUnavailableError):
        await limiter.usage(ACME, STARTER)


def test_local_allowance_remembers_so_many_tenants():
    allowance = LocalAllowance()
    with reaching_all():
        for number in range(MOST_TENANTS + 10):
            assert allowance.admit(TenantId(str(number)), per_minute("read", 1), 0).is_admitted

        assert not allowance.admit(TenantId(str(MOST_TENANTS)), per_minute("read", 1), 0).is_admitted
        assert allowance.admit(TenantId("0"), per_minute("read", 1), 0).is_admitted
