"""A member of one organisation, and what becomes of her and of the credentials that she has."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.identity.tokens import InvalidTokenError
from shared.kernel.ids import UserId
from shared.tenancy.ports import Put, Remove

REMEMBERED = timedelta(seconds=30)
"""How long the door takes a caller for what the caller was."""
ADA = UserId("ada")


async def refused(door, bearer):
    with pytest.raises(InvalidTokenError) as refusal:
        await door.authenticate(str(bearer))
    return str(refusal.value) == str(InvalidTokenError())


async def put(records, record, **changes):
    await records.commit(record.tenant, [Put(replace(record, **changes))])


async def remove_member(records, tenant):
    await records.commit(tenant, [Remove(await records.member(tenant, ADA))])
