"""get_caller."""

import pytest

from shared.identity.permissions import PERMISSIONS, Role
from shared.tenancy.models import OPERATORS


@pytest.mark.parametrize("role", Role)
async def test_everybody_learns_who_they_are_and_what_they_may_do(acme, role):
    response = await acme.send("GET", "/me", role)

    assert response.json() == {
        "tenant": OPERATORS if role is Role.OPERATOR else acme.id,
        "user": f"ada@example.{role.value}",
        "role": role.value,
        "permissions": sorted(PERMISSIONS[role]),
    }


async def test_key_learns_what_it_is(acme):
    created = (
        await acme.send("POST", "/api-keys", json={"name": "m", "permissions": ["caller:read", "search"]})
    ).json()

    response = await acme.client.get("/me", headers={"authorization": f"Bearer {created['api_key']}"})

    assert response.json() == {
        "tenant": acme.id,
        "user": "ada@example.maintainer",
        "role": "maintainer",
        "api_key": created["key"]["id"],
        "permissions": ["caller:read", "search"],
    }
