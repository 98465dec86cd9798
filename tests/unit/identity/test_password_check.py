"""Nobody can be told from somebody by the work that a wrong password makes."""

from dataclasses import dataclass, field

import pytest

from shared.identity.guesses import GuessAllowance
from shared.identity.password_sign_in import PasswordCheck
from shared.identity.security_events import SecurityEvent
from shared.identity.users import User
from shared.kernel.ids import TenantId, UserId
from tests.clocks import ManualClock
from tests.unit.identity.test_guesses import MemoryGuesses

CLOCK = ManualClock()
ADA = User(UserId("usr_ada"), "ada@people.example", "Ada", "hash of right", CLOCK.now())


@dataclass
class Work:
    """Everything slow that was done, in order: hasher, memberships and events at once."""

    done: list[str] = field(default_factory=list)

    async def hash(self, password: str) -> str:
        raise NotImplementedError

    async def verify(self, password_hash: str, password: str) -> bool:
        self.done.append("hash")
        return password_hash == f"hash of {password}"

    async def verify_nobody(self, password: str) -> None:
        self.done.append("hash")

    def needs_rehash(self, password_hash: str) -> bool:
        return False

    async def tenants_of(self, user_id: UserId) -> list[TenantId]:
        self.done.append("look for organisations")
        return [TenantId("acme")] if user_id == ADA.user_id else []

    async def role_of(self, tenant: TenantId, user_id: UserId) -> None:
        raise NotImplementedError

    async def record(self, tenant: TenantId, event: SecurityEvent) -> None:
        self.done.append("write an event")

    async def newest(self, tenant: TenantId, limit: int, before: str | None = None) -> list[SecurityEvent]:
        raise NotImplementedError


@pytest.mark.parametrize("user", [ADA, None, User(UserId("usr_b"), "b@people.example", "Bob", None, CLOCK.now())])
async def test_wrong_password_makes_the_same_work_for_everybody_and_nobody(user: User | None) -> None:
    work = Work()
    check = PasswordCheck(work, work, GuessAllowance(MemoryGuesses(), CLOCK), work, CLOCK)

    assert not await check.is_right("somebody@people.example", user, "wrong")

    assert work.done == ["hash", "look for organisations", "write an event"]
