"""What the door remembers: little, for a short time, and nothing that grew older by being used."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.identity.authentication import REMEMBERED_FOR, RecentAnswers
from tests.clocks import ManualClock

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    return ManualClock(START)


@pytest.fixture
def answers(clock):
    return RecentAnswers(clock, most=3)


def test_answer_lives_half_a_minute_from_when_it_was_asked_for(answers, clock):
    clock.at = START + timedelta(seconds=5)
    answers.put("ada", 1, START)

    for clock.at in (START + timedelta(seconds=5), START + REMEMBERED_FOR - timedelta(microseconds=1)):
        assert answers.get("ada") == 1
    clock.at = START + REMEMBERED_FOR
    assert answers.get("ada") is None


def test_changing_an_answer_makes_it_no_younger(answers, clock):
    answers.put("ada", 1, START)
    clock.at = START + timedelta(seconds=20)
    answers.amend("ada", 2)
    assert answers.get("ada") == 2

    clock.at = START + REMEMBERED_FOR

    assert answers.get("ada") is None


def test_what_is_not_remembered_is_not_changed(answers):
    answers.amend("ada", 2)

    assert answers.get("ada") is None


def test_longest_unused_makes_room(answers):
    for number in range(3):
        answers.put(number, str(number), START)
    assert answers.get(0) == "0"

    answers.put(3, "3", START)

    assert [answers.get(number) for number in range(4)] == ["0", None, "2", "3"]


def test_answer_from_a_future_that_did_not_come_is_forgotten(answers, clock):
    answers.put("ada", 1, START)
    clock.at = START - timedelta(seconds=1)
    assert answers.get("ada") is None

    clock.at = START

    assert answers.get("ada") is None
