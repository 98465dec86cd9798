"""start_oidc_sign_in: where the browser is sent, and what only the client that began can know."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.kernel.clock import SystemClock
from tests.api.tenants import problem_of
from tests.oidc.conftest import completion
from tests.oidc.real_provider import REDIRECT

pytestmark = pytest.mark.real_server

OWN_REDIRECT = "https://app.acme.example/signed-in/{provider_id}"


async def test_browser_is_sent_with_fresh_secrets_and_a_hashed_verifier(acme, lasting_provider):
    provider = await acme.connect(lasting_provider.issuer)

    first, second = await acme.start(provider["id"]), await acme.start(provider["id"])

    asked, other = (parse_qs(urlsplit(one["authorization_url"]).query) for one in (first, second))
    assert first["authorization_url"].startswith(f"{lasting_provider.issuer}/auth?")
    assert {name: values[0] for name, values in asked.items() if name not in {"nonce", "code_challenge"}} == {
        "response_type": "code",
        "client_id": "public",
        "redirect_uri": REDIRECT,
        "scope": "openid email profile",
        "state": first["state"],
        "code_challenge_method": "S256",
    }
    secrets = {
        *(first["state"], first["binding"], second["state"], second["binding"]),
        *(asked["nonce"][0], asked["code_challenge"][0], other["nonce"][0], other["code_challenge"][0]),
    }
    assert len(secrets) == 8
    assert {len(secret) for secret in secrets} == {43}
    assert first["binding"] not in first["authorization_url"]
    lasts = datetime.fromisoformat(first["expires_at"]) - SystemClock().now()
    assert timedelta(minutes=9) < lasts <= timedelta(minutes=10)


@pytest.mark.parametrize(
    "redirect_uri",
    [f"{REDIRECT}/", f"{REDIRECT}?x=y", REDIRECT.upper(), f"{REDIRECT}%2F", "https://elsewhere.example/", ""],
)
async def test_only_a_registered_address_is_come_back_to(acme, lasting_provider, redirect_uri):
    provider = await acme.connect(lasting_provider.issuer)
    body = {"tenant": acme.id, "provider_id": provider["id"], "redirect_uri": redirect_uri}

    assert problem_of(await acme.client.post("/oidc-sign-ins", json=body)) == (422, "unregistered-redirect")


async def test_provider_of_another_tenant_looks_missing(acme, globex, lasting_provider):
    provider = await acme.connect(lasting_provider.issuer)
    globex.headers()

    for tenant in (globex.id, "no-such-tenant"):
        body = {"tenant": tenant, "provider_id": provider["id"], "redirect_uri": REDIRECT}
        response = await acme.client.post("/oidc-sign-ins", json=body)
        assert problem_of(response) == (404, "identity-provider-not-found")


async def test_code_of_a_provider_that_does_not_name_itself_counts_only_where_it_arrived(acme, globex, scripted):
    """The mix-up attack: a hostile connection sends the browser on to an honest provider and is given its code.

    The code arrives at an address of the honest connection, and that is none of the hostile one's.
    """
    honest = await acme.connect(scripted.issuer, redirect_uris=[OWN_REDIRECT])
    hostile = await globex.connect(scripted.issuer, redirect_uris=[OWN_REDIRECT])
    begun = await globex.start(hostile["id"], hostile["redirect_uris"][0])
    returned = scripted.authorize(begun["authorization_url"])

    arrived = completion(begun, returned, redirect_uri=honest["redirect_uris"][0])
    response = await acme.complete(arrived)

    assert problem_of(response) == (401, "refused-sign-in")
    assert response.json()["facts"] == {"reason": "redirect_uri"}
    assert scripted.requests == []


async def test_provider_that_does_not_name_itself_lets_its_people_in(acme, scripted):
    """As Amazon Cognito: no iss in the answer, no PKCE in its document, a secret, a path in the issuer."""
    scripted.claims = {"email": f"ada@{acme.domain}"}
    provider = await acme.connect(
        scripted.issuer, redirect_uris=[OWN_REDIRECT], client_secret="s3cret", default_role="viewer"
    )
    started = await acme.start(provider["id"], provider["redirect_uris"][0])
    returned = scripted.authorize(started["authorization_url"])

    response = await acme.complete(completion(started, returned))

    assert (response.status_code, response.json()["role"]) == (200, "viewer")
    assert scripted.requests[0]["authorization"] == "public:s3cret"


async def test_issuer_that_a_provider_sends_unasked_must_still_be_its_own(acme, scripted):
    scripted.claims = {"email": f"ada@{acme.domain}"}
    provider = await acme.connect(scripted.issuer, redirect_uris=[OWN_REDIRECT], default_role="viewer")
    started = await acme.start(provider["id"], provider["redirect_uris"][0])
    returned = scripted.authorize(started["authorization_url"], iss="https://elsewhere.example")

    response = await acme.complete(completion(started, returned))

    assert (problem_of(response), response.json()["facts"]) == ((401, "refused-sign-in"), {"reason": "iss-parameter"})


@pytest.mark.parametrize("changed_after", ["connecting", "starting"])
async def test_provider_that_no_longer_names_itself_is_not_signed_in_through(
    acme, scripted, another_app, changed_after
):
    scripted.metadata = {"authorization_response_iss_parameter_supported": True}
    provider = await acme.connect(scripted.issuer, default_role="viewer")
    body = {"tenant": acme.id, "provider_id": provider["id"], "redirect_uri": REDIRECT}
    if changed_after == "starting":
        started = await acme.start(provider["id"])
        returned = scripted.authorize(started["authorization_url"])
        path, body = "/oidc-sign-ins/completion", completion(started, returned)
    else:
        path = "/oidc-sign-ins"
    scripted.metadata = {}

    response = await another_app.post(path, json=body)

    assert problem_of(response) == (422, "unfit-identity-provider")


async def test_provider_that_is_down_is_told_apart(acme, own_provider, another_app):
    provider = await acme.connect(own_provider.issuer)
    own_provider.stop()

    body = {"tenant": acme.id, "provider_id": provider["id"], "redirect_uri": REDIRECT}
    response = await another_app.post("/oidc-sign-ins", json=body)

    assert problem_of(response) == (503, "identity-provider-unreachable")
