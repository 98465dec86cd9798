"""list_identity_providers: for owners, of their own organisation, without secrets."""

import pytest

from shared.identity.permissions import Role
from tests.api.tenants import problem_of
from tests.oidc.real_provider import SECRET

pytestmark = pytest.mark.real_server


async def test_owner_sees_the_organisation_s_own_oldest_first(acme, globex, lasting_provider):
    first = await acme.connect(lasting_provider.issuer)
    second = await acme.connect(lasting_provider.issuer, client_id="confidential", client_secret=SECRET)
    await globex.connect(lasting_provider.issuer)

    response = await acme.send("GET", "/identity-providers")

    assert response.json()["items"] == [first, second]
    assert SECRET not in response.text


async def test_nobody_else_sees_them(acme):
    assert problem_of(await acme.send("GET", "/identity-providers", Role.MAINTAINER)) == (403, "forbidden")
