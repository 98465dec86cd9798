"""How many wrong passwords an address gets, and how long it waits after them."""

import asyncio
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity.guesses import GuessAllowance, Guesses, SignInLockedError
from tests.clocks import ManualClock


class MemoryGuesses:
    """Implements `GuessStore`, and lets others run between reading and writing."""

    def __init__(self) -> None:
        self.stored: dict[str, Guesses] = {}

    async def guesses(self, email: str) -> Guesses:
        await asyncio.sleep(random.random() / 1000)
        return self.stored.get(email, Guesses())

    async def replace(self, email: str, guesses: Guesses) -> bool:
        if self.stored.get(email, Guesses()).revision != guesses.revision:
            return False
        self.stored[email] = Guesses(guesses.count, guesses.locked_until, guesses.last_at, guesses.revision + 1)
        return True

    async def forget(self, email: str) -> None:
        self.stored.pop(email, None)


def test_waits_double_from_a_minute_to_an_hour() -> None:
    clock = ManualClock()
    guesses = Guesses()
    waits = []
    for _ in range(14):
        guesses = guesses.with_one_more(clock.now())
        wait = timedelta() if guesses.locked_until is None else guesses.locked_until - clock.now()
        waits.append(wait.total_seconds() / 60)
        clock.at += wait

    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_day_without_a_guess_forgets_them() -> None:
    clock = ManualClock()
    guesses = Guesses()
    for _ in range(4):
        guesses = guesses.with_one_more(clock.now())

    clock.at += timedelta(hours=24)

    assert guesses.with_one_more(clock.now()).count == 1


@pytest.mark.parametrize("left_s", [59.5, 1, 0.001])
def test_refusal_says_how_long_to_wait(left_s: float) -> None:
    clock = ManualClock()
    guesses = Guesses(5, clock.now() + timedelta(seconds=left_s), clock.now())

    with pytest.raises(SignInLockedError) as refusal:
        guesses.with_one_more(clock.now())

    assert refusal.value.retry_after_s == pytest.approx(left_s)


@given(st.lists(st.sampled_from([0, 1, 30, 61, 300, 4000]), min_size=1, max_size=60))
def test_hour_holds_so_few_guesses_however_they_are_spread(pauses: list[int]) -> None:
    clock = ManualClock()
    guesses = Guesses()
    made = []
    for pause in pauses:
        clock.at += timedelta(seconds=pause)
        try:
            guesses = guesses.with_one_more(clock.now())
        except SignInLockedError:
            continue
        made.append(clock.now())

    # Five at once, and then after 1, 2, 4, 8, 16 and 32 minutes.
    for begin in made:
        assert sum(begin <= at < begin + timedelta(hours=1) for at in made) <= 11


async def test_guesses_at_once_get_no_more_than_the_allowance() -> None:
    allowance = GuessAllowance(MemoryGuesses(), ManualClock())

    answers = await asyncio.gather(*(allowance.take("ada@x.example") for _ in range(50)), return_exceptions=True)

    assert sum(isinstance(answer, Guesses) for answer in answers) == 5
    assert sum(isinstance(answer, SignInLockedError) for answer in answers) == 45
