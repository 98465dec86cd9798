"""One person who signs in twice at once is one member, whichever sign-in comes first."""

from datetime import UTC, datetime

import pytest

from shared.adapters.dynamodb.identity_providers import DynamoIdentityLinks
from shared.identity.oidc_admission import Admission
from shared.identity.oidc_claims import ExternalIdentity
from shared.identity.oidc_providers import IdentityProvider
from shared.identity.permissions import Role
from shared.kernel.clock import SystemClock
from shared.kernel.ids import IdentityProviderId, new_id
from shared.operations.capabilities import IDENTITY

pytestmark = pytest.mark.real_server


class OvertakenLinks(DynamoIdentityLinks):
    """Its first look comes before another sign-in of the same person has finished."""

    looks = 0

    async def user_of(self, tenant, provider_id, subject):
        self.looks += 1
        return None if self.looks == 1 else await super().user_of(tenant, provider_id, subject)


async def test_sign_in_that_was_overtaken_finds_what_the_other_one_made(acme, cloud):
    acme.headers()
    provider = IdentityProvider(
        tenant=acme.id,
        provider_id=IdentityProviderId(new_id("idp", SystemClock().now())),
        name="Acme",
        issuer="https://sign-in.example",
        client_id="tessera",
        redirect_uris=("https://app.example/in",),
        email_domains=(acme.domain,),
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        default_role=Role.VIEWER,
    )
    ada = ExternalIdentity("subject-of-ada", f"ada@{acme.domain}", True, "Ada")
    table = cloud.address_of(IDENTITY)

    first = await Admission(acme.records, DynamoIdentityLinks(cloud.dynamodb, table), SystemClock()).admit(
        provider, ada
    )
    overtaken = await Admission(acme.records, OvertakenLinks(cloud.dynamodb, table), SystemClock()).admit(provider, ada)

    assert overtaken.user_id == first.user_id
