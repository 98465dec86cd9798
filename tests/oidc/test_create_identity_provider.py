"""create_identity_provider: the provider is asked at once, and what is unsafe never becomes a connection."""

import asyncio

import httpx
import pytest

from shared.composition.app import build_whole_app, caller_of_bearer
from shared.composition.services import services_for
from shared.composition.settings import Settings
from shared.identity.oidc_providers import MAX_PROVIDERS
from shared.identity.permissions import Role
from shared.operations.capabilities import IDENTITY
from shared.operations.registry import load_operation
from shared.operations.variables import ENVIRONMENT
from tests.api.tenants import problem_of
from tests.oidc.real_provider import REDIRECT
from tests.unit.identity.forgery import Absent

pytestmark = pytest.mark.real_server

OWN_REDIRECT = "https://app.acme.example/signed-in/{provider_id}"


async def test_connection_says_what_to_register_and_never_its_secret(acme, cloud, lasting_provider):
    secret = "correct horse battery staple"

    response = await acme.send(
        "POST",
        "/identity-providers",
        json=acme.connection(
            lasting_provider.issuer,
            client_id="confidential",
            client_secret=secret,
            redirect_uris=[REDIRECT, OWN_REDIRECT, REDIRECT],
            email_domains=["ACME.example"],
            default_role="viewer",
        ),
    )

    assert response.status_code == 201, response.text
    body = response.json()
    assert body["redirect_uris"] == [REDIRECT, OWN_REDIRECT.replace("{provider_id}", body["id"])]
    assert (body["email_domains"], body["default_role"], body["has_client_secret"]) == (
        ["acme.example"],
        "viewer",
        True,
    )
    assert secret not in response.text
    stored = cloud.dynamodb.get_item(
        TableName=cloud.address_of(IDENTITY),
        Key={"pk": {"S": f"t#{acme.id}"}, "sk": {"S": f"provider#{body['id']}"}},
    )
    assert secret not in str(stored)
    events = (await acme.send("GET", "/security-events")).json()["items"]
    assert (events[0]["kind"], events[0]["facts"]["provider"]) == ("identity-provider-created", body["id"])


async def test_repetition_with_the_same_key_connects_once(acme, lasting_provider):
    async def create():
        body = acme.connection(lasting_provider.issuer)
        return await acme.send("POST", "/identity-providers", json=body, headers={"idempotency-key": "k-1"})

    responses = await asyncio.gather(*(create() for _ in range(4)))

    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    assert len((await acme.send("GET", "/identity-providers")).json()["items"]) == 1


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.REVIEWER, Role.VIEWER])
async def test_only_an_owner_connects(acme, lasting_provider, role):
    response = await acme.send("POST", "/identity-providers", role, json=acme.connection(lasting_provider.issuer))

    assert problem_of(response) == (403, "forbidden")


@pytest.mark.parametrize(
    "changes",
    [
        {"default_role": "owner"},
        {"default_role": "operator"},
        {"email_domains": []},
        {"email_domains": ["acme.example", "not a domain"]},
        {"email_domains": ["@acme.example"]},
        {"email_domains": ["*.example"]},
        {"redirect_uris": []},
        {"redirect_uris": ["http://app.acme.example/"]},
        {"redirect_uris": ["https://app.acme.example/?next=x"]},
        {"redirect_uris": ["https://app.acme.example/#x"]},
        {"redirect_uris": ["https://user@app.acme.example/"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["/signed-in"]},
        {"issuer": "sign-in.example"},
        {"issuer": "https://sign-in.example/?a=b"},
        {"issuer": "file:///etc/passwd"},
        {"client_id": ""},
        {"client_id": "two\nlines"},
        {"client_secret": ""},
        {"name": ""},
        {"tenant": "globex"},
        {"role": "owner"},
        {"sealed_secret": "x"},
    ],
    ids=repr,
)
async def test_unfit_body_is_refused(acme, changes):
    response = await acme.send("POST", "/identity-providers", json={**acme.connection("https://x.example"), **changes})

    assert problem_of(response) == (422, "invalid-request")


async def test_issuer_must_be_the_provider_s_own_letter_by_letter(acme, lasting_provider):
    response = await acme.send("POST", "/identity-providers", json=acme.connection(f"{lasting_provider.issuer}/"))

    assert problem_of(response) == (422, "unfit-identity-provider")
    assert "letter by letter" in response.json()["detail"]


async def test_redirect_address_of_another_connection_is_refused(acme, lasting_provider):
    other = "https://app.acme.example/idp_" + "0" * 26

    response = await acme.send(
        "POST", "/identity-providers", json=acme.connection(lasting_provider.issuer, redirect_uris=[other])
    )

    assert problem_of(response) == (422, "unfit-identity-provider")


async def test_provider_that_does_not_name_itself_gets_addresses_of_its_own_only(acme, scripted):
    shared = await acme.send("POST", "/identity-providers", json=acme.connection(scripted.issuer))
    mixed = await acme.send(
        "POST", "/identity-providers", json=acme.connection(scripted.issuer, redirect_uris=[OWN_REDIRECT, REDIRECT])
    )
    own = await acme.send(
        "POST", "/identity-providers", json=acme.connection(scripted.issuer, redirect_uris=[OWN_REDIRECT])
    )

    assert problem_of(shared) == problem_of(mixed) == (422, "unfit-identity-provider")
    assert "{provider_id}" in shared.json()["detail"]
    assert own.status_code == 201


@pytest.mark.parametrize(
    ("metadata", "word"),
    [
        ({"issuer": "https://elsewhere.example"}, "issuer"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"jwks_uri": Absent}, "jwks_uri"),
        ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, "client_secret_basic"),
    ],
    ids=repr,
)
async def test_unfit_provider_is_told_what_is_wrong(acme, scripted, metadata, word):
    scripted.metadata = metadata

    response = await acme.send(
        "POST",
        "/identity-providers",
        json=acme.connection(scripted.issuer, redirect_uris=[OWN_REDIRECT], client_secret="s"),
    )

    assert problem_of(response) == (422, "unfit-identity-provider")
    assert word in response.json()["detail"]
    assert (await acme.send("GET", "/identity-providers")).json()["items"] == []


async def test_provider_that_is_not_there_does_not_fit(acme):
    response = await acme.send("POST", "/identity-providers", json=acme.connection("http://127.0.0.1:1"))

    assert problem_of(response) == (422, "unfit-identity-provider")
    assert "cannot be reached" in response.json()["detail"]


@pytest.mark.parametrize(
    "issuer",
    ["https://169.254.169.254/", "https://10.0.0.1", "http://10.0.0.1", "http://1.1.1.1", "https://[::]"],
)
async def test_addresses_inside_the_network_are_out_of_reach(acme, issuer):
    response = await acme.send("POST", "/identity-providers", json=acme.connection(issuer))

    assert problem_of(response) == (422, "unfit-identity-provider")


@pytest.mark.parametrize("environment", ["dev", "prod"])
async def test_loopback_is_out_of_reach_of_a_deployment(acme, cloud, lasting_provider, environment):
    settings = Settings({**cloud.variables, ENVIRONMENT: environment})
    authorizer = services_for(load_operation("identity", "authorize_request"), settings)
    app = build_whole_app(settings, caller_of_bearer(authorizer.authentication.authenticator.authenticate))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test") as client:
        response = await client.post(
            "/identity-providers", headers=acme.headers(), json=acme.connection(lasting_provider.issuer)
        )

    assert problem_of(response) == (422, "unfit-identity-provider")
    assert "127.0.0.1" not in response.json()["detail"]


async def test_there_are_at_most_ten(acme, lasting_provider):
    for _ in range(MAX_PROVIDERS):
        await acme.connect(lasting_provider.issuer)

    response = await acme.send("POST", "/identity-providers", json=acme.connection(lasting_provider.issuer))

    assert problem_of(response) == (409, "identity-provider-limit")
