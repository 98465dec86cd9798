"""Token buckets and windows: never too much, never refused for longer than is needed, whatever clocks do."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.limits.rules import BURST_PERCENT, SECOND_US, Bucket, Counts, Window, corrected, per_minute
from tests.unit.limits.memory import START_US

buckets = st.builds(Bucket, st.just("writes"), st.integers(1, 50), st.integers(1, 10 * SECOND_US))
pauses_us = st.lists(st.integers(0, 20 * SECOND_US), min_size=1, max_size=60)


def admitted_at(bucket: Bucket, moments: list[int], cost: int = 1) -> list[int]:
    """Return the moments of `moments` at which `cost` tokens could be taken."""
    full_at, admitted = 0, []
    for now in moments:
        if bucket.wait_us(full_at, cost, now) == 0:
            full_at = bucket.taken(full_at, cost, now)
            admitted.append(now)
    return admitted


def moments_of(pauses: list[int]) -> list[int]:
    moments, now = [], START_US
    for pause in pauses:
        now += pause
        moments.append(now)
    return moments


@given(bucket=buckets, pauses=pauses_us)
def test_never_more_than_burst_and_rate_in_any_window(bucket, pauses):
    admitted = admitted_at(bucket, moments_of(pauses))

    for first, start in enumerate(admitted):
        for last, end in enumerate(admitted[first:], first):
            assert last - first + 1 <= bucket.capacity + (end - start) // bucket.interval_us


@given(bucket=buckets, pauses=pauses_us, cost=st.integers(1, 50))
def test_retry_after_is_exact_to_the_microsecond(bucket, pauses, cost):
    cost = min(cost, bucket.capacity)
    full_at = 0
    for now in moments_of(pauses):
        wait = bucket.wait_us(full_at, cost, now)
        if wait:
            assert bucket.wait_us(full_at, cost, now + wait - 1) == 1
            assert bucket.wait_us(full_at, cost, now + wait) == 0
        else:
            full_at = bucket.taken(full_at, cost, now)


@given(bucket=buckets, pauses=pauses_us)
def test_remaining_tokens_can_all_be_taken_and_not_one_more(bucket, pauses):
    full_at = 0
    for now in moments_of(pauses):
        remaining = bucket.remaining(full_at, now)
        assert bucket.wait_us(full_at, remaining, now) == 0
        assert bucket.wait_us(full_at, remaining + 1, now) > 0
        if remaining:
            full_at = bucket.taken(full_at, 1, now)
        assert bucket.remaining(full_at, now + bucket.reset_us(full_at, now)) == bucket.capacity


@given(bucket=buckets, steps=st.lists(st.tuples(st.integers(0, 5 * SECOND_US), st.integers(-3, 3)), max_size=60))
def test_clocks_that_disagree_gain_once_what_flows_back_in_their_difference(bucket, steps):
    """Each request is judged by another machine, up to three seconds early or late."""
    full_at, now, admitted = 0, START_US, []
    for pause, skew_s in steps:
        now += pause
        seen = now + skew_s * SECOND_US
        if bucket.wait_us(full_at, 1, seen) == 0:
            after = bucket.taken(full_at, 1, seen)
            assert after > full_at
            full_at = after
            admitted.append(now)

    for first, start in enumerate(admitted):
        for last, end in enumerate(admitted[first:], first):
            flows_back = (end - start + 6 * SECOND_US) // bucket.interval_us
            assert last - first + 1 <= bucket.capacity + flows_back


def test_a_late_clock_gains_nothing():
    bucket = per_minute("writes", 10)
    full_at = 0
    for _ in range(10):
        full_at = bucket.taken(full_at, 1, START_US)

    assert all(bucket.wait_us(full_at, 1, START_US - late * SECOND_US) > 0 for late in range(3600))


@given(figure=st.integers(1, 100_000))
def test_no_more_come_back_in_a_minute_than_the_figure_says(figure):
    bucket = per_minute("reads", figure)

    assert bucket.capacity == figure
    assert 60 * SECOND_US // bucket.interval_us <= figure
    assert bucket.interval_us * figure < 60 * SECOND_US + figure


def test_ten_a_minute_is_one_every_six_seconds():
    assert per_minute("writes", 10) == Bucket("writes", 10, 6 * SECOND_US)
    assert per_minute("writes", 10).period_s == 60


def test_a_figure_of_nothing_admits_nothing():
    bucket = per_minute("writes", 0)

    assert bucket.remaining(0, START_US) == 0
    assert bucket.wait_us(0, 1, START_US) == 60 * SECOND_US


windows = st.builds(Window, st.just("calls"), st.integers(0, 100), st.sampled_from([60, 3600, 86400]))


@given(window=windows, steps=st.lists(st.tuples(st.integers(0, 90 * SECOND_US), st.integers(1, 30)), max_size=60))
def test_no_window_holds_more_than_its_limit_or_a_burst_after_a_quiet_one(window, steps):
    counts, now = Counts(), START_US
    used: dict[int, int] = {}
    for pause, cost in steps:
        now += pause
        if window.wait_us(counts, cost, now) == 0:
            counts = window.taken(counts, cost, now)
            used[now // window.period_us] = used.get(now // window.period_us, 0) + cost

    for number, amount in used.items():
        was_quiet = used.get(number - 1, 0) * 2 < window.limit
        assert amount <= (window.limit * BURST_PERCENT // 100 if was_quiet else window.limit)


@given(window=windows, used=st.integers(0, 150), previous=st.integers(0, 150), within=st.integers(0, 59))
def test_a_window_that_is_full_waits_for_the_next_one_to_the_microsecond(window, used, previous, within):
    number = START_US // window.period_us
    counts, now = Counts(number, used, previous), number * window.period_us + within * SECOND_US
    wait = window.wait_us(counts, 1, now)

    assert (wait == 0) == (used + 1 <= window.allowed(counts, now))
    if wait:
        assert now + wait == (number + 1) * window.period_us
        assert window.wait_us(counts, 1, now + wait - 1) == 1
    if wait and window.limit:
        assert window.wait_us(counts, 1, now + wait) == 0


def test_time_that_goes_back_stays_in_the_newest_window():
    window = Window("calls", 10, 60)
    number = START_US // window.period_us
    counts = Counts(number + 1, 12, 0)

    assert window.current(counts, START_US) == counts
    assert window.wait_us(counts, 1, START_US) == window.reset_us(counts, START_US) > 0


def test_burst_needs_a_quiet_window_just_before():
    window = Window("calls", 100, 60)
    number = START_US // window.period_us

    assert window.allowed(Counts(number, 0, 49), START_US) == 120
    assert window.allowed(Counts(number, 0, 50), START_US) == 100
    assert window.allowed(Counts(number - 1, 50, 0), START_US) == 100
    assert window.allowed(Counts(number - 2, 100, 100), START_US) == 120  # nothing at all was used in between


def test_what_was_reserved_is_corrected_in_its_own_window():
    assert corrected(Counts(7, 10, 5), 7, -3) == Counts(7, 7, 5)
    assert corrected(Counts(7, 10, 5), 6, -3) == Counts(7, 10, 2)
    assert corrected(Counts(7, 10, 5), 5, -3) == Counts(7, 10, 5)
    assert corrected(Counts(7, 10, 5), 7, -30) == Counts(7, 0, 5)
    assert corrected(Counts(7, 10, 5), 7, 30) == Counts(7, 40, 5)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_a_thousand_tenants_each_get_their_own_share(seed):
    """Whoever comes first and however often: nobody gets less because of others."""
    bucket, asked = per_minute("reads", 3), [tenant for tenant in range(1000) for _ in range(5)]
    Random(seed).shuffle(asked)
    full_at, admitted = dict.fromkeys(range(1000), 0), dict.fromkeys(range(1000), 0)
    for step, tenant in enumerate(asked):
        now = START_US + step  # a microsecond each: far below the time in which a token comes back
        if bucket.wait_us(full_at[tenant], 1, now) == 0:
            full_at[tenant] = bucket.taken(full_at[tenant], 1, now)
            admitted[tenant] += 1

    assert set(admitted.values()) == {3}
