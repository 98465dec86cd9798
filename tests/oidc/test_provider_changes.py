"""A real provider that rotates its keys, goes down, comes back, and changes what it says of itself."""

from urllib.parse import urlencode

import pytest

from shared.adapters.http.destinations import public_or_loopback
from shared.adapters.http.guarded_fetcher import GuardedFetcher
from shared.adapters.oidc.client import HttpOpenIdClient
from shared.identity.oidc_errors import IdentityProviderUnreachableError, RefusedSignInError
from shared.identity.oidc_ports import AuthorizationCode
from shared.identity.oidc_sign_in import _challenge
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId
from tests.ambient import looking_on
from tests.oidc.real_provider import REDIRECT, RealProvider, sign_in_with_browser, signing_key

pytestmark = pytest.mark.real_server

ACME = TenantId("acme")
VERIFIER = "v" * 43
NONCE = "n" * 43


class Timepiece:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time():
    return Timepiece()


@pytest.fixture
def openid(time):
    with looking_on():
        yield HttpOpenIdClient(GuardedFetcher(public_or_loopback), SystemClock(), time)


@pytest.fixture(params=[False, True], ids=["e-mail in userinfo", "e-mail in the ID token"])
def provider(request, tmp_path, keys):
    started = RealProvider(tmp_path, keys, claims_in_id_token=request.param)
    started.start()
    yield started
    started.stop()


async def browse(openid: HttpOpenIdClient, provider: RealProvider, **changes: str):
    """Return what the browser brings back, after a request for authorization with `changes`."""
    metadata = await openid.discover(ACME, provider.issuer)
    parameters = {
        "response_type": "code",
        "client_id": "public",
        "redirect_uri": REDIRECT,
        "scope": "openid email profile",
        "state": "s",
        "nonce": NONCE,
        "code_challenge": _challenge(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    return sign_in_with_browser(f"{metadata.authorization_endpoint}?{urlencode(parameters)}", "ada@acme").params


async def sign_in(openid: HttpOpenIdClient, provider: RealProvider, **changes: str):
    returned = await browse(openid, provider, **changes)
    code = AuthorizationCode(returned["code"], REDIRECT, VERIFIER, NONCE)
    return await openid.redeem(ACME, await openid.discover(ACME, provider.issuer), "public", None, code)


async def test_e_mail_and_name_are_found_wherever_the_provider_tells_them(openid, provider):
    identity = await sign_in(openid, provider)

    assert (identity.subject, identity.email, identity.email_is_verified, identity.display_name) == (
        "ada@acme", "Ada@acme.example", True, "Ada Lovelace",
    )  # fmt: skip


async def test_new_key_is_found_after_thirty_seconds_and_the_old_one_is_forgotten(openid, provider, time):
    assert await sign_in(openid, provider)

    provider.stop()
    provider.keys = [signing_key("second"), *provider.keys[1:]]
    provider.start()
    with pytest.raises(RefusedSignInError) as refused:
        await sign_in(openid, provider)
    time.now += 30
    rotated = await sign_in(openid, provider)

    assert refused.value.facts == {"reason": "key"}
    assert rotated.subject == "ada@acme"


async def test_what_is_known_serves_while_the_provider_is_down(openid, provider, time):
    known = await openid.discover(ACME, provider.issuer)
    provider.stop()

    time.now += 3600
    assert await openid.discover(ACME, provider.issuer) == known
    time.now += 86_400
    with pytest.raises(IdentityProviderUnreachableError):
        await openid.discover(ACME, provider.issuer)

    provider.start()
    assert await openid.discover(ACME, provider.issuer) == known


async def test_code_cannot_be_redeemed_while_the_provider_is_down(openid, provider):
    metadata = await openid.discover(ACME, provider.issuer)
    provider.stop()

    with pytest.raises(IdentityProviderUnreachableError):
        await openid.redeem(ACME, metadata, "public", None, AuthorizationCode("c", REDIRECT, VERIFIER, NONCE))


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge_method": "plain", "code_challenge": VERIFIER},
        {"code_challenge_method": "", "code_challenge": ""},
    ],
    ids=["plain", "none"],
)
async def test_weaker_pkce_brings_no_code(openid, provider, changes):
    """What a browser in between might try: it replaces the challenge, or leaves it out."""
    answer = await browse(openid, provider, **changes)

    assert (answer.get("error"), "code" in answer) == ("invalid_request", False)


async def test_wrong_verifier_and_wrong_nonce_are_refused(openid, provider):
    with pytest.raises(RefusedSignInError) as nonce:
        await sign_in(openid, provider, nonce="another")
    with pytest.raises(RefusedSignInError) as verifier:
        await sign_in(openid, provider, code_challenge=_challenge("another"))

    assert nonce.value.facts == {"reason": "nonce"}
    assert verifier.value.facts == {"reason": "token: invalid_grant"}
