"""Which redirect addresses and providers are safe to connect."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.identity.oidc_errors import UnfitIdentityProviderError
from shared.identity.oidc_providers import (
    IdentityProvider,
    ProviderMetadata,
    check_fit,
    concrete_redirects,
    is_redirect_address,
)
from shared.kernel.ids import IdentityProviderId, TenantId

OWN = IdentityProviderId("idp_" + "1" * 26)
OTHER = "idp_" + "2" * 26
PROVIDER = IdentityProvider(
    tenant=TenantId("acme"),
    provider_id=OWN,
    name="Acme",
    issuer="https://sign-in.example",
    client_id="tessera",
    redirect_uris=("https://app.example/in",),
    email_domains=("acme.example",),
    created_at=datetime(2026, 11, 21, tzinfo=UTC),
)
METADATA = ProviderMetadata(
    issuer="https://sign-in.example",
    authorization_endpoint="https://sign-in.example/auth",
    token_endpoint="https://sign-in.example/token",
    jwks_uri="https://sign-in.example/keys",
    userinfo_endpoint=None,
    takes_basic_authentication=True,
    names_itself=True,
)


@pytest.mark.parametrize(
    "text",
    [
        "https://app.example", "https://app.example/", "https://app.example:8443/in", "http://127.0.0.1:8400/in",
        "http://localhost/in", "http://[::1]:3000/in",
    ],
)  # fmt: skip
def test_browsers_are_sent_back_by_tls_or_to_their_own_machine(text):
    assert is_redirect_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "app.example", "//app.example/", "http://app.example/", "http://127.0.0.1.app.example/",
        "http://localhost.app.example/", "https://app.example/?", "https://app.example/?a=b", "https://app.example/#",
        "https://user@app.example/", "https://app.example:x/", "https://app.example/a b", "https://app.example/<x>",
        "https://app.example\\@evil.example/", "https://äpp.example/", "https://app.example/\n", "javascript:alert(1)",
        "data:text/html,x", "com.example.app:/in", "https:///in",
    ],
)  # fmt: skip
def test_browsers_are_sent_nowhere_else(text):
    assert not is_redirect_address(text)


def test_own_id_takes_its_place_and_repetitions_fall_away():
    templates = ("https://app.example/{provider_id}/in", "https://app.example/in", "https://app.example/in")

    assert concrete_redirects(templates, OWN) == (f"https://app.example/{OWN}/in", "https://app.example/in")


@pytest.mark.parametrize("template", [f"https://app.example/{OTHER}", f"https://app.example/{{provider_id}}/{OTHER}"])
def test_id_of_another_connection_is_refused(template):
    with pytest.raises(UnfitIdentityProviderError):
        concrete_redirects((template,), OWN)


def test_provider_that_does_not_name_itself_needs_the_connection_s_id_in_every_address():
    silent = replace(METADATA, names_itself=False)
    own = replace(PROVIDER, redirect_uris=(f"https://app.example/{OWN}",))

    check_fit(METADATA, PROVIDER)
    check_fit(silent, own)
    for redirects in (PROVIDER.redirect_uris, (*own.redirect_uris, *PROVIDER.redirect_uris)):
        with pytest.raises(UnfitIdentityProviderError):
            check_fit(silent, replace(PROVIDER, redirect_uris=redirects))


def test_secret_needs_a_provider_that_takes_basic_authentication():
    without = replace(METADATA, takes_basic_authentication=False)

    check_fit(without, PROVIDER)
    with pytest.raises(UnfitIdentityProviderError):
        check_fit(without, replace(PROVIDER, sealed_secret="x"))
