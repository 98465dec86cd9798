"""Families of refresh tokens against a model that only knows what was promised."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from shared.identity.access_tokens import AccessTokens
from shared.identity.permissions import Role
from shared.identity.session_keeping import SessionEnding, SessionKeeper, SignedIn
from shared.identity.sessions import (
    InvalidRefreshTokenError,
    Standing,
    new_session,
    read_refresh_token,
)
from shared.identity.users import User
from shared.kernel.ids import SessionId, TenantId, UserId, new_id
from tests.clocks import ManualClock
from tests.unit.identity.memory import MemoryPeople, MemorySessions, UnsignedTokens

ACME = TenantId("acme")
WINDOW = timedelta(seconds=10)


@dataclass
class Family:
    """What a user may expect of one session: all tokens given out, when the last was, and whether it has ended."""

    begun: datetime
    tokens: list[str]
    rotated: datetime | None = None
    over: bool = False
    reuses: int = 0

    def is_over(self, now: datetime) -> bool:
        idle = (self.rotated or self.begun) + timedelta(days=30)
        return self.over or now >= min(idle, self.begun + timedelta(days=90))


class Families(RuleBasedStateMachine):
    """Any order of signing in, refreshing with any token ever given out, waiting, ending and changing the password."""

    families = Bundle("families")

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.user = User(UserId(new_id("usr", self.clock.now())), "ada@people.example", "Ada", "hash", self.clock.now())
        self.store = MemorySessions({self.user.user_id: 1})
        self.people = MemoryPeople({self.user.user_id: self.user}, {(ACME, self.user.user_id): Role.VIEWER})
        tokens = cast("AccessTokens", UnsignedTokens(self.clock))
        self.keeper = SessionKeeper(self.store, self.people, self.people, tokens, self.clock)
        self.ending = SessionEnding(self.store, self.clock)
        self.all: list[Family] = []

    def run(self, work: Any) -> Any:
        return asyncio.run(work)

    def refresh(self, token: str) -> SignedIn | None:
        try:
            answer: SignedIn = self.run(self.keeper.refresh(token))
        except InvalidRefreshTokenError:
            return None
        return answer

    @rule(target=families)
    def sign_in(self) -> Family:
        user = self.people.users[self.user.user_id]
        family = Family(self.clock.now(), [self.run(self.keeper.begin(ACME, user, Role.VIEWER)).refresh_token])
        self.all.append(family)
        return family

    @rule(family=families, back=st.integers(0, 4))
    def refresh_with_a_token(self, family: Family, back: int) -> None:
        now = self.clock.now()
        place = len(family.tokens) - 1 - back
        if place < 0:
            return
        answer = self.refresh(family.tokens[place])
        if family.is_over(now):
            assert answer is None
        elif back == 0:
            assert answer is not None
            assert answer.role is self.people.roles[ACME, self.user.user_id]
            family.tokens.append(answer.refresh_token)
            family.rotated = now
        elif back == 1 and family.rotated is not None and now - family.rotated <= WINDOW:
            assert answer is not None
            assert answer.refresh_token == family.tokens[-1]
        else:
            assert answer is None
            family.over = True
            family.reuses += 1

    @rule(family=families)
    def guess(self, family: Family) -> None:
        token = read_refresh_token(family.tokens[-1])
        stranger = replace(token, proof="A" * 22, secret="A" * 43)
        assert self.refresh(str(stranger)) is None
        self.run(self.ending.end(str(stranger)))

    @rule(family=families)
    def sign_out(self, family: Family) -> None:
        self.run(self.ending.end(family.tokens[0]))
        family.over = True

    @rule()
    def sign_out_everywhere(self) -> None:
        self.run(self.ending.end_all(ACME, self.user.user_id))
        for family in self.all:
            family.over = True

    @rule()
    def change_password(self) -> None:
        user = self.people.users[self.user.user_id]
        self.people.users[user.user_id] = replace(user, password_version=user.password_version + 1)
        self.store.versions[user.user_id] += 1
        for family in self.all:
            # Its next use finds that out; what was promised is that there is no next token.
            family.over = True

    @rule(role=st.sampled_from([Role.VIEWER, Role.OWNER]))
    def change_role(self, role: Role) -> None:
        self.people.roles[ACME, self.user.user_id] = role

    @rule(seconds=st.sampled_from([0.5, 4, 9.5, 10, 11, 3600]))
    def wait(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)

    @rule(days=st.sampled_from([1, 29, 30, 40]))
    def wait_long(self, days: int) -> None:
        self.clock.at += timedelta(days=days)

    @invariant()
    def every_reuse_was_told_once(self) -> None:
        assert len(self.store.events) == sum(min(family.reuses, 1) for family in self.all)

    @invariant()
    def no_token_was_given_out_twice(self) -> None:
        given = [token for family in self.all for token in family.tokens]
        assert len(given) == len(set(given))


Families.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestFamilies = Families.TestCase


def test_stored_session_and_an_old_token_do_not_make_a_later_one() -> None:
    """Whoever reads the table has the last step's key only: with a token from before that it leads nowhere."""
    now = ManualClock().now()
    session, first = new_session(ACME, UserId("usr_1"), SessionId("ses_1"), 1, now)
    once = session.rotate(first, now)
    second = once.successor_of(first)
    twice = once.rotate(second, now)
    third = twice.successor_of(second)

    from_first = twice.successor_of(first)

    assert third.secret != from_first.secret
    assert twice.standing(from_first, now + timedelta(seconds=1)) is Standing.REUSED


def test_token_is_read_back_as_it_was_written() -> None:
    now = ManualClock().now()
    user, session_id = UserId(new_id("usr", now)), SessionId(new_id("ses", now))
    _, token = new_session(ACME, user, session_id, 1, now)

    assert read_refresh_token(str(token)) == token
    assert token.secret not in repr(token)
    assert token.proof not in repr(token)


@pytest.mark.parametrize(("after", "standing"), [(10.0, Standing.REPLACED), (10.001, Standing.REUSED)])
def test_retry_is_welcome_for_ten_seconds(after: float, standing: Standing) -> None:
    now = ManualClock().now()
    session, token = new_session(ACME, UserId("usr_1"), SessionId("ses_1"), 1, now)

    assert session.rotate(token, now).standing(token, now + timedelta(seconds=after)) is standing
