"""Who is let in: one member for one person who signs in twice at once; nobody by the word of a former owner."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.adapters.dynamodb.identity_providers import DynamoIdentityLinks
from shared.identity.oidc_admission import Admission
from shared.identity.oidc_claims import ExternalIdentity
from shared.identity.oidc_errors import NOT_INVITED, REMOVED, NotAdmittedError
from shared.identity.oidc_providers import IdentityProvider
from shared.identity.permissions import Role
from shared.kernel.clock import SystemClock
from shared.kernel.ids import IdentityProviderId, UserId, new_id
from shared.operations.capabilities import IDENTITY
from shared.tenancy.ports import Put, Remove
from tests.records import transactions_of

pytestmark = pytest.mark.real_server


class OvertakenLinks(DynamoIdentityLinks):
    """Its first look comes before another sign-in of the same person has finished."""

    looks = 0

    async def user_of(self, tenant, provider_id, subject):
        self.looks += 1
        return None if self.looks == 1 else await super().user_of(tenant, provider_id, subject)


def provider_of(organisation, default_role=None):
    return IdentityProvider(
        tenant=organisation.id,
        provider_id=IdentityProviderId(new_id("idp", SystemClock().now())),
        name="Acme",
        issuer="https://sign-in.example",
        client_id="tessera",
        redirect_uris=("https://app.example/in",),
        email_domains=(organisation.domain,),
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        default_role=default_role,
    )


async def test_sign_in_that_was_overtaken_finds_what_the_other_one_made(acme, cloud):
    acme.headers()
    provider = provider_of(acme, default_role=Role.VIEWER)
    ada = ExternalIdentity("subject-of-ada", f"ada@{acme.domain}", True, "Ada")
    table = cloud.address_of(IDENTITY)

    first = await Admission(acme.records, DynamoIdentityLinks(transactions_of(cloud), table), SystemClock()).admit(
        provider, ada
    )
    late = OvertakenLinks(transactions_of(cloud), table)
    overtaken = await Admission(acme.records, late, SystemClock()).admit(provider, ada)

    assert overtaken.user_id == first.user_id


async def test_what_an_owner_promised_ends_with_the_ownership(acme, cloud):
    invitation = await acme.invite("ada", Role.OWNER)
    ada = ExternalIdentity("subject-of-ada", invitation.email, True, "Ada")
    links = DynamoIdentityLinks(transactions_of(cloud), cloud.address_of(IDENTITY))
    admission = Admission(acme.records, links, SystemClock())
    tenant = await acme.records.tenant(acme.id)
    await acme.records.commit(acme.id, [Put(replace(tenant, owners=frozenset({UserId("somebody-else")})))])

    with pytest.raises(NotAdmittedError) as refusal:
        await admission.admit(provider_of(acme), ada)

    assert refusal.value.facts == {"reason": NOT_INVITED}


async def test_member_who_never_came_by_the_provider_does_not_come_back_by_it(acme, cloud):
    user_id = await acme.add_member("ada", Role.MAINTAINER)
    ada = ExternalIdentity("subject-of-ada", f"ada@{acme.domain}", True, "Ada")
    links = DynamoIdentityLinks(transactions_of(cloud), cloud.address_of(IDENTITY))
    admission = Admission(acme.records, links, SystemClock())
    await acme.records.commit(acme.id, [Remove(await acme.member(user_id))])

    with pytest.raises(NotAdmittedError) as refusal:
        await admission.admit(provider_of(acme, default_role=Role.MAINTAINER), ada)

    assert refusal.value.facts == {"reason": REMOVED}
    await acme.invite("ada", Role.VIEWER)
    assert (await admission.admit(provider_of(acme), ada)).role is Role.VIEWER
