"""An organisation always has an owner, whatever its members do at the same time (T1)."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.identity.caller import Caller
from shared.identity.permissions import MEMBER_ROLES, Role
from shared.kernel.errors import TesseraError
from shared.kernel.ids import InvitationId, TenantId, UserId
from shared.tenancy.invitations import Invitations
from shared.tenancy.joining import Joining
from shared.tenancy.members import Members
from shared.tenancy.models import Member, Tenant
from shared.tenancy.owners import with_owner
from shared.tenancy.ports import Put
from shared.tenancy.tenants import new_tenant
from tests.clocks import ManualClock
from tests.unit.tenancy.memory import MemoryTenancy

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
TENANT = TenantId("tn-1")
PEOPLE = [UserId(f"usr_{number}") for number in range(4)]
PASSWORD = "seven green boats at dawn"

person = st.sampled_from(PEOPLE)
acts = st.one_of(
    st.tuples(st.just("change_role"), person, person, st.sampled_from(MEMBER_ROLES)),
    st.tuples(st.just("remove"), person, person),
    st.tuples(st.just("leave"), person),
    st.tuples(st.just("transfer_ownership"), person, person),
    st.tuples(st.just("invite_owner"), person),
)


class EndedSessions:
    """Notes whose sessions were ended; `is_broken` for a crash just before."""

    def __init__(self):
        self.of: list[tuple[TenantId, UserId]] = []
        self.is_broken = False

    async def end_all(self, tenant, user):
        if self.is_broken:
            raise ConnectionError("gone")
        self.of.append((tenant, user))


class PlainPasswords:
    """Stores passwords as they are; what is right is compared."""

    async def hash(self, password):
        return password

    async def is_right(self, email, user, password):
        return user.password_hash == password


class MemoryUsers:
    """Accounts of a memory of organisations."""

    def __init__(self, records):
        self._records = records

    async def by_email(self, email):
        return self._records.users.get(self._records.emails.get(email))


class Company:
    """One organisation whose members act, each by credentials that were checked a moment ago."""

    def __init__(self, pauses):
        self.records = MemoryTenancy(pauses)
        self.sessions = EndedSessions()
        self.members = Members(self.records, self.sessions, ManualClock(NOW))
        users: Any = MemoryUsers(self.records)
        passwords: Any = PlainPasswords()
        self.invitations = Invitations(self.records, users, ManualClock(NOW))
        self.joining = Joining(self.records, users, passwords, passwords, self.sessions, ManualClock(NOW))

    async def found(self, roles):
        tenant, workspace = new_tenant(TENANT, "Acme", "starter", NOW)
        people = dict(zip(PEOPLE, roles, strict=True))
        for user_id, role in people.items():
            if role is Role.OWNER:
                tenant = with_owner(tenant, user_id, NOW)
        members = [Member(TENANT, user, role, f"{user}@a.example", user, NOW, NOW) for user, role in people.items()]
        await self.records.commit(TENANT, [Put(tenant), Put(workspace), *map(Put, members)])
        self.callers = {user: Caller(TENANT, user, role) for user, role in people.items()}

    async def act(self, name, actor, *rest):
        caller = self.callers[actor]
        with suppress(TesseraError):
            if caller.role is not Role.OWNER and name != "leave":
                return
            if name == "invite_owner":
                await self._bring_in_an_owner(caller)
            else:
                await getattr(self.members, name)(caller, *rest)

    async def _bring_in_an_owner(self, caller):
        number = len(self.records.users)
        issued, _ = await self.invitations.invite(
            caller, InvitationId(f"inv_{number:026}"), f"new-{number}@b.example", Role.OWNER, None
        )
        await self.joining.accept(issued, f"acc_{number}", None, PASSWORD)

    def owners(self):
        """Return the owners by the organisation's record, which must be those by the members' records."""
        (tenant,) = [record for record in self.records.records.values() if isinstance(record, Tenant)]
        members = [record for record in self.records.records.values() if isinstance(record, Member)]
        assert tenant.owners == {member.user_id for member in members if member.role is Role.OWNER}
        assert all(member.workspaces is None for member in members if member.role is Role.OWNER)
        return tenant.owners


@settings(max_examples=100, deadline=None)
@given(
    roles=st.tuples(st.just(Role.OWNER), *[st.sampled_from(MEMBER_ROLES)] * 3),
    waves=st.lists(st.lists(acts, min_size=1, max_size=5), min_size=1, max_size=4),
    pauses=st.lists(st.integers(0, 3), min_size=1, max_size=30),
)
def test_there_always_is_an_owner(roles, waves, pauses):
    turns = iter(pauses * 1000)

    async def story():
        company = Company(lambda: next(turns, 0))
        await company.found(roles)
        for wave in waves:
            await asyncio.gather(*(company.act(*act) for act in wave))
            assert company.owners()

    asyncio.run(story())
