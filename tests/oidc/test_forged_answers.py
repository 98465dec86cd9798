"""Answers of the token endpoint that no sound provider gives, on the way that all answers take."""

import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.adapters.http.destinations import public_or_loopback
from shared.adapters.http.guarded_fetcher import GuardedFetcher
from shared.adapters.oidc.client import HttpOpenIdClient
from shared.identity.oidc_errors import (
    IdentityProviderUnreachableError,
    RefusedSignInError,
    UnfitIdentityProviderError,
)
from shared.identity.oidc_ports import AuthorizationCode
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId
from tests.ambient import looking_on
from tests.oidc.scripted_provider import KEY_ID
from tests.unit.identity.forgery import Absent, Smith, encode

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
CODE = AuthorizationCode("a-code", "https://app.acme.example/signed-in", "v" * 43, "a-nonce")
NOW = int(datetime.now(UTC).timestamp())


def at_hash(token: str) -> str:
    return urlsafe_b64encode(sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


@pytest.fixture(autouse=True)
def _looking_on():
    with looking_on():
        yield


@pytest.fixture
def openid():
    return HttpOpenIdClient(GuardedFetcher(public_or_loopback), SystemClock())


@pytest.fixture
def redeem(openid, scripted):
    scripted.challenge_nonce = CODE.nonce

    async def redeemed(client_id="public", secret=None, *, tenant=ACME):
        return await openid.redeem(tenant, await openid.discover(tenant, scripted.issuer), client_id, secret, CODE)

    return redeemed


async def test_what_amazon_cognito_sends_is_accepted(redeem, scripted):
    """Its ID tokens: a header of kid and alg only, token_use, its own claims, and at_hash; no azp.

    Source: the Amazon Cognito developer guide, "Understanding the identity (ID) token".
    """
    scripted.claims = {
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "cognito:groups": ["staff"],
        "cognito:username": "janedoe",
        "email": "janedoe@acme.example",
        "email_verified": True,
        "event_id": "64f513be-32db-42b0-b78e-b02127b4f463",
        "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-ffffffffffff",
        "jti": "aaaaaaaa-bbbb-cccc-dddd-000000000000",
        "auth_time": NOW - 5,
        "token_use": "id",
        "at_hash": at_hash("opaque"),
    }

    identity = await redeem(secret="s3cret")

    assert (identity.subject, identity.email) == ("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "janedoe@acme.example")
    assert identity.email_is_verified
    (form,) = scripted.requests
    assert form == {
        "grant_type": "authorization_code",
        "code": "a-code",
        "redirect_uri": CODE.redirect_uri,
        "code_verifier": CODE.verifier,
        "authorization": "public:s3cret",
    }


async def test_what_microsoft_entra_id_sends_is_accepted(redeem, scripted):
    """It never says email_verified; xms_edov, an optional claim, says whether the domain's owner vouches.

    Source: Microsoft Entra ID, optional claims reference.
    """
    scripted.header = {"typ": "JWT", "alg": "RS256", "kid": KEY_ID}
    scripted.claims = {"email_verified": Absent, "xms_edov": True, "tid": "t", "oid": "o", "ver": "2.0"}

    assert (await redeem()).email_is_verified


def without_moments(value: object) -> str:
    """Workers who run the tests side by side load this file at different moments, and must call the tests alike."""
    return re.sub(r"\d{10}", "moment", repr(value))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another"}, "aud"),
        ({"aud": ["another", "public"]}, "azp"),
        ({"aud": ["another", "public"], "azp": "another"}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"aud": Absent}, "aud"),
        ({"aud": ["public"] * 17}, "aud"),
        ({"aud": {"public": True}}, "aud"),
        ({"iss": "https://elsewhere.example"}, "iss"),
        ({"iss": Absent}, "iss"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": Absent}, "nonce"),
        ({"nonce": ["a-nonce"]}, "nonce"),
        ({"nonce": "\ud800"}, "nonce"),
        ({"exp": NOW - 1}, "exp"),
        ({"exp": Absent}, "exp"),
        ({"exp": NOW + 90_000.5}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": NOW + 90_000, "exp": NOW + 100_000}, "iat"),
        ({"iat": Absent}, "exp"),
        ({"at_hash": at_hash("another")}, "at_hash"),
        ({"at_hash": None}, "at_hash"),
        ({"token_use": "access"}, "token_use"),
        ({"sub": Absent}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": "\ud800"}, "sub"),
        ({"sub": 5}, "sub"),
    ],
    ids=without_moments,
)
async def test_claim_that_does_not_hold_is_refused(redeem, scripted, claims, reason):
    scripted.claims = claims

    with pytest.raises(RefusedSignInError) as refused:
        await redeem()

    assert refused.value.facts == {"reason": reason}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none", "kid": KEY_ID}, "id-token-form"),
        ({"alg": "NONE", "kid": KEY_ID}, "id-token-form"),
        ({"alg": "HS256", "kid": KEY_ID}, "id-token-form"),
        ({"alg": "RS256"}, "id-token-form"),
        ({"alg": "RS256", "kid": KEY_ID, "typ": "at+jwt"}, "id-token-form"),
        ({"alg": "RS256", "kid": KEY_ID, "typ": "logout+jwt"}, "id-token-form"),
        ({"alg": "RS256", "kid": KEY_ID, "crit": ["b64"], "b64": False}, "id-token-form"),
        ({"alg": "RS256", "kid": KEY_ID, "jku": "https://elsewhere.example"}, "id-token-form"),
        ({"alg": "RS256", "kid": KEY_ID, "jwk": {}}, "id-token-form"),
        ({"alg": "RS256", "kid": KEY_ID, "x5c": []}, "id-token-form"),
        ({"alg": "RS256", "kid": "unknown"}, "key"),
        ({"alg": "PS256", "kid": KEY_ID}, "key"),
        ({"alg": "ES256", "kid": KEY_ID}, "key"),
    ],
    ids=repr,
)
async def test_header_that_is_none_of_an_id_token_is_refused(redeem, scripted, header, reason):
    scripted.header = header

    with pytest.raises(RefusedSignInError) as refused:
        await redeem()

    assert refused.value.facts == {"reason": reason}


async def test_signature_of_a_stranger_is_refused(redeem, scripted):
    stranger = Smith(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    scripted.token_answer = {"id_token": stranger.sign(scripted.header, {"sub": "x"})}

    with pytest.raises(RefusedSignInError) as refused:
        await redeem()

    assert refused.value.facts == {"reason": "signature"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"id_token": Absent}, "no-id-token"),
        ({"id_token": None}, "no-id-token"),
        ({"id_token": f"{encode(b'{}')}.{encode(b'{}')}."}, "id-token-form"),
        ({"id_token": "x" * 16_385}, "id-token-form"),
        ({"id_token": "ä.b.c"}, "id-token-form"),
    ],
    ids=["none", "null", "unsigned", "huge", "not ASCII"],
)
async def test_answer_without_an_id_token_is_refused(redeem, scripted, answer, reason):
    scripted.token_answer = answer

    with pytest.raises(RefusedSignInError) as refused:
        await redeem()

    assert refused.value.facts == {"reason": reason}


async def test_at_hash_without_an_access_token_is_refused(redeem, scripted):
    scripted.claims = {"at_hash": at_hash("opaque")}
    scripted.token_answer = {"access_token": Absent}

    with pytest.raises(RefusedSignInError) as refused:
        await redeem()

    assert refused.value.facts == {"reason": "at_hash"}


async def test_userinfo_of_somebody_else_is_refused(redeem, scripted):
    scripted.claims = {"email": Absent, "email_verified": Absent}
    scripted.userinfo = {"sub": "somebody-else", "email": "ada@acme.example", "email_verified": True}

    with pytest.raises(RefusedSignInError) as refused:
        await redeem()

    assert refused.value.facts == {"reason": "userinfo"}


async def test_e_mail_of_userinfo_counts_with_its_own_verification_only(redeem, scripted):
    scripted.claims = {"email": Absent, "email_verified": True}
    scripted.userinfo = {"sub": "0f1e2d3c-subject", "email": "ada@acme.example"}

    identity = await redeem()

    assert (identity.email, identity.email_is_verified) == ("ada@acme.example", False)


@pytest.mark.parametrize(
    ("told", "verified"),
    [(True, True), ("true", True), ("false", False), (1, False), ("True", False), (None, False), ([True], False)],
    ids=repr,
)
async def test_only_true_is_verified(redeem, scripted, told, verified):
    scripted.claims = {"email_verified": told}

    assert (await redeem()).email_is_verified is verified


@pytest.mark.parametrize(
    ("status", "error"), [(400, RefusedSignInError), (302, RefusedSignInError), (503, IdentityProviderUnreachableError)]
)
async def test_failing_token_endpoint_is_told_apart(redeem, scripted, status, error):
    scripted.token_status = status

    with pytest.raises(error):
        await redeem()


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": Absent},
        {"response_types_supported": ["id_token"]},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": []},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        {"token_endpoint": Absent},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://user@elsewhere.example/"},
        {"userinfo_endpoint": 5},
    ],
    ids=repr,
)
async def test_document_that_does_not_fit_is_refused(openid, scripted, metadata):
    scripted.metadata = metadata

    with pytest.raises(UnfitIdentityProviderError):
        await openid.discover(ACME, scripted.issuer)


async def test_document_that_breaks_later_does_not_replace_the_one_that_is_known(scripted):
    now = [0.0]
    openid = HttpOpenIdClient(GuardedFetcher(public_or_loopback), SystemClock(), lambda: now[0])
    known = await openid.discover(ACME, scripted.issuer)
    scripted.metadata = {"issuer": "https://elsewhere.example"}
    now[0] += 700

    assert await openid.discover(ACME, scripted.issuer) == known
    assert scripted.visits == ["/.well-known/openid-configuration"] * 2


async def test_changed_endpoint_is_used_after_ten_minutes(scripted):
    now = [0.0]
    openid = HttpOpenIdClient(GuardedFetcher(public_or_loopback), SystemClock(), lambda: now[0])
    known = await openid.discover(ACME, scripted.issuer)
    scripted.metadata = {"token_endpoint": f"{scripted.issuer}/other/token"}

    now[0] += 599
    assert await openid.discover(ACME, scripted.issuer) == known
    now[0] += 1
    assert (await openid.discover(ACME, scripted.issuer)).token_endpoint == f"{scripted.issuer}/other/token"


async def test_what_a_provider_said_to_one_tenant_is_believed_for_no_other(openid, scripted):
    known = await openid.discover(ACME, scripted.issuer)
    scripted.metadata = {"token_endpoint": f"{scripted.issuer}/other/token"}

    changed = await openid.discover(GLOBEX, scripted.issuer)

    assert changed.token_endpoint == f"{scripted.issuer}/other/token"
    assert await openid.discover(ACME, scripted.issuer) == known


async def test_key_that_another_tenant_asked_for_too_early_is_found(scripted, monkeypatch):
    """Who asks for unknown keys must wait half a minute; nobody else must wait because of it."""
    now = [0.0]
    openid = HttpOpenIdClient(GuardedFetcher(public_or_loopback), SystemClock(), lambda: now[0])
    scripted.challenge_nonce = CODE.nonce
    published = scripted.keys()
    rotated = {"keys": [{**published["keys"][0], "kid": "second"}]}

    async def sign_in(tenant):
        metadata = await openid.discover(tenant, scripted.issuer)
        return await openid.redeem(tenant, metadata, "public", None, CODE)

    for tenant in (ACME, GLOBEX):
        assert await sign_in(tenant)
    now[0] = 100
    monkeypatch.setitem(scripted.header, "kid", "second")
    with pytest.raises(RefusedSignInError):
        await sign_in(GLOBEX)
    monkeypatch.setattr(scripted, "keys", lambda: rotated)

    assert await sign_in(ACME)
    with pytest.raises(RefusedSignInError):
        await sign_in(GLOBEX)
