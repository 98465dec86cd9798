"""delete_identity_provider: nothing of the connection is left, and what others have stays."""

import pytest

from shared.identity.permissions import Role
from shared.operations.capabilities import IDENTITY
from tests.api.tenants import problem_of
from tests.oidc.real_provider import REDIRECT

pytestmark = pytest.mark.real_server

UNKNOWN = "idp_" + "0" * 26


async def test_deleted_provider_lets_nobody_in_and_leaves_no_link(acme, cloud, lasting_provider):
    await acme.add_member("ada", Role.VIEWER)
    provider = await acme.connect(lasting_provider.issuer)
    session = (await acme.sign_in(provider, "ada")).json()

    response = await acme.send("DELETE", f"/identity-providers/{provider['id']}")

    assert response.status_code == 204
    assert (await acme.send("GET", "/identity-providers")).json()["items"] == []
    start = {"tenant": acme.id, "provider_id": provider["id"], "redirect_uri": REDIRECT}
    assert problem_of(await acme.client.post("/oidc-sign-ins", json=start)) == (404, "identity-provider-not-found")
    left = cloud.dynamodb.query(
        TableName=cloud.address_of(IDENTITY),
        KeyConditionExpression="pk = :pk AND begins_with(sk, :link)",
        ExpressionAttributeValues={":pk": {"S": f"t#{acme.id}"}, ":link": {"S": "link"}},
    )
    assert left["Items"] == []
    assert await acme.member(session["user"]) is not None
    events = (await acme.send("GET", "/security-events")).json()["items"]
    assert events[0]["kind"] == "identity-provider-deleted"


async def test_member_is_recognised_again_through_the_next_connection(acme, lasting_provider):
    provider = await acme.connect(lasting_provider.issuer, default_role="viewer")
    first = (await acme.sign_in(provider, "ada")).json()["user"]
    await acme.send("DELETE", f"/identity-providers/{provider['id']}")

    again = await acme.sign_in(await acme.connect(lasting_provider.issuer), "ada")

    assert again.json()["user"] == first


async def test_provider_of_another_tenant_looks_missing(acme, globex, lasting_provider):
    provider = await acme.connect(lasting_provider.issuer)

    foreign = await globex.send("DELETE", f"/identity-providers/{provider['id']}")
    unknown = await globex.send("DELETE", f"/identity-providers/{UNKNOWN}")

    assert problem_of(foreign) == problem_of(unknown) == (404, "identity-provider-not-found")
    assert len((await acme.send("GET", "/identity-providers")).json()["items"]) == 1


async def test_only_an_owner_deletes(acme):
    response = await acme.send("DELETE", f"/identity-providers/{UNKNOWN}", Role.MAINTAINER)

    assert problem_of(response) == (403, "forbidden")
