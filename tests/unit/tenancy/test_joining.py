"""Whoever accepts an invitation at the same time as others: one of them joins."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.identity.permissions import Role
from shared.kernel.ids import InvitationId, UserId
from shared.tenancy.errors import InvalidInvitationError
from shared.tenancy.invitations import LIFETIME, MOST_TOKENS, new_invitation, with_another_token
from shared.tenancy.models import OPERATORS, InvitationStatus, Member
from shared.tenancy.ports import Put
from tests.unit.tenancy.test_owners import NOW, PASSWORD, PEOPLE, TENANT, Company

INVITATION = InvitationId("inv_" + "1" * 26)


async def company_that_invited(pauses=lambda: 0, role=Role.VIEWER):
    company = Company(pauses)
    await company.found([Role.OWNER] + [Role.VIEWER] * 3)
    issued, token = new_invitation(TENANT, INVITATION, "new@b.example", role, None, UserId("usr_0"), NOW)
    await company.records.commit(TENANT, [Put(issued)])
    return company, token


def members_of(company):
    return [record for record in company.records.records.values() if isinstance(record, Member)]


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 6), st.lists(st.integers(0, 3), min_size=1, max_size=20), st.booleans())
def test_one_invitation_makes_one_member_however_many_accept(many, pauses, with_one_key):
    turns = iter(pauses * 1000)

    async def story():
        company, token = await company_that_invited(lambda: next(turns, 0))
        found = await company.joining.read(str(token))
        accepting = [
            company.joining.accept(found, "acc_1" if with_one_key else f"acc_{number}", None, PASSWORD)
            for number in range(many)
        ]
        results = await asyncio.gather(*accepting, return_exceptions=True)
        joined = [result for result in results if not isinstance(result, BaseException)]
        assert len(joined) == (many if with_one_key else 1)
        assert len({member.user_id for _, member in joined}) == 1
        assert all(isinstance(result, InvalidInvitationError) for result in results if isinstance(result, Exception))
        assert len(members_of(company)) == 5
        assert len(company.records.users) == 1

    asyncio.run(story())


async def test_only_the_newest_tokens_of_an_invitation_are_good():
    company, first = await company_that_invited()
    later = [(await with_another_token(company.records, TENANT, INVITATION))[1] for _ in range(MOST_TOKENS)]

    with pytest.raises(InvalidInvitationError):
        await company.joining.read(str(first))
    for token in later:
        assert (await company.joining.read(str(token))).invitation_id == INVITATION


@pytest.mark.parametrize(("tenant", "role"), [(TENANT, Role.OPERATOR), (OPERATORS, Role.OWNER)])
async def test_operators_are_made_nowhere_but_at_home_and_nobody_else_there(tenant, role):
    company, _ = await company_that_invited()
    issued, token = new_invitation(tenant, INVITATION, "new@b.example", role, None, UserId("usr_0"), NOW)
    stored = await company.records.invitation(tenant, INVITATION)
    await company.records.commit(tenant, [Put(replace(issued, revision=stored.revision if stored else 0))])

    with pytest.raises(InvalidInvitationError):
        await company.joining.accept(await company.joining.read(str(token)), "acc_1", None, PASSWORD)


def test_invitation_is_pending_until_a_week_is_over():
    issued, _ = new_invitation(TENANT, INVITATION, "new@b.example", Role.VIEWER, None, UserId("usr_0"), NOW)

    assert issued.status(NOW + LIFETIME - timedelta(seconds=1)) is InvitationStatus.PENDING
    assert issued.status(NOW + LIFETIME) is InvitationStatus.EXPIRED
    assert timedelta(days=7) == LIFETIME


async def test_sessions_of_an_earlier_membership_do_not_come_back_with_a_new_one():
    company, token = await company_that_invited()
    _, member = await company.joining.accept(await company.joining.read(str(token)), "acc_1", None, PASSWORD)
    company.sessions.is_broken = True
    with pytest.raises(ConnectionError):
        await company.members.remove(company.callers[PEOPLE[0]], member.user_id)
    company.sessions.is_broken = False
    assert company.sessions.of == []

    again, _ = await company.invitations.invite(
        company.callers[PEOPLE[0]], InvitationId("inv_" + "2" * 26), member.email, Role.VIEWER, None
    )
    await company.joining.accept(again, "acc_2", None, PASSWORD)

    assert company.sessions.of == [(TENANT, member.user_id)]
