"""What a request asks of its limits, and the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.limits.rules import Bucket, Counts, Window

Limit = Bucket | Window
State = int | Counts
"""What a store knows of a limit: of a bucket when it is full again, of a window its counts."""


@dataclass(frozen=True, slots=True)
class Demand:
    """`cost` of one limit. `subject` tells apart whom a tenant's limit counts for: a user, a key; "" is everybody.

    A cost of 0 asks how the limit stands and takes nothing.
    """

    limit: Limit
    subject: str = ""
    cost: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """How one limit stands after a request was admitted or refused.

    `allowed` is the limit as it holds now (more in a burst), `used` what counts against it, `reset_us` the time until
    all of it is back, `wait_us` how long this demand would have to wait: 0 unless it is what refuses. `window` is the
    number of the window that was counted in, None for a bucket.
    """

    demand: Demand
    allowed: int
    used: int
    remaining: int
    reset_us: int
    wait_us: int
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """All of a request's demands were taken, or none of them; one standing per demand, in their order."""

    is_admitted: bool
    standings: tuple[Standing, ...]

    @property
    def refusal(self) -> Standing | None:
        """The limit that makes the request wait longest, None when it was admitted."""
        return None if self.is_admitted else max(self.standings, key=lambda standing: standing.wait_us)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a reservation turned out to be: `change` is the actual use less what was reserved in window `number`."""

    window: Window
    subject: str
    number: int
    change: int


def waiting_us(demand: Demand, state: State, now_us: int) -> int:
    """Return how long `demand` has to wait, 0 when it fits."""
    limit = demand.limit
    if demand.cost == 0:
        return 0
    if isinstance(limit, Bucket):
        return limit.wait_us(_full_at(state), demand.cost, now_us)
    return limit.wait_us(_counts(state), demand.cost, now_us)


def taking(demand: Demand, state: State, now_us: int) -> State:
    """Return what is known of the limit after `demand` was taken from it."""
    limit = demand.limit
    if isinstance(limit, Bucket):
        return limit.taken(_full_at(state), demand.cost, now_us)
    return limit.taken(_counts(state), demand.cost, now_us)


def standing_of(demand: Demand, state: State, now_us: int, wait_us: int = 0) -> Standing:
    """Describe a limit of which `state` is known, after the demand was taken or refused."""
    limit = demand.limit
    if isinstance(limit, Bucket):
        full_at_us = _full_at(state)
        reset_us, remaining = limit.reset_us(full_at_us, now_us), limit.remaining(full_at_us, now_us)
        return Standing(demand, limit.capacity, limit.capacity - remaining, remaining, reset_us, wait_us)
    counts = limit.current(_counts(state), now_us)
    allowed, remaining = limit.allowed(counts, now_us), limit.remaining(counts, now_us)
    return Standing(demand, allowed, counts.used, remaining, limit.reset_us(counts, now_us), wait_us, counts.number)


def _full_at(state: State) -> int:
    if not isinstance(state, int):
        raise TypeError("A bucket is known by the moment at which it is full.")
    return state


def _counts(state: State) -> Counts:
    if not isinstance(state, Counts):
        raise TypeError("A window is known by its counts.")
    return state


def described(demands: Sequence[Demand], states: Sequence[State], now_us: int, *, is_admitted: bool) -> Admission:
    """Return the admission of `demands` when `states` is what is known of their limits after it."""
    return Admission(
        is_admitted,
        tuple(
            standing_of(demand, state, now_us, 0 if is_admitted else waiting_us(demand, state, now_us))
            for demand, state in zip(demands, states, strict=True)
        ),
    )


def judge(demands: Sequence[Demand], states: Sequence[State], now_us: int) -> tuple[Admission, list[State]]:
    """Decide over all demands at once: return the admission, and what is known of each limit after it."""
    pairs = list(zip(demands, states, strict=True))
    is_admitted = not any(waiting_us(demand, state, now_us) for demand, state in pairs)
    after = [taking(demand, state, now_us) for demand, state in pairs] if is_admitted else list(states)
    return described(demands, after, now_us, is_admitted=is_admitted), after
