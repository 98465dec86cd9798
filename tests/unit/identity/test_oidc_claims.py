"""What an ID token must say; where the token comes from is tested in tests/oidc."""

import hashlib
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.identity.oidc_claims import CLOCK_SKEW_S, check_claims, identity_of
from shared.identity.oidc_errors import RefusedSignInError

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
OPAQUE = "opaque"
CLAIMS: dict[str, Any] = {
    "iss": "https://sign-in.example",
    "aud": "tessera",
    "sub": "ada",
    "nonce": "n-1",
    "iat": NOW_S,
    "exp": NOW_S + 300,
}


def reason_of(claims: dict[str, Any], access_token: str | None = OPAQUE) -> str | None:
    """Return why the claims are refused, None when they are not."""
    try:
        check_claims(
            claims,
            issuer="https://sign-in.example",
            client_id="tessera",
            nonce="n-1",
            access_token=access_token,
            now=NOW,
        )
    except RefusedSignInError as refused:
        return str(refused.facts["reason"])
    return None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"aud": ["tessera"]}, None),
        ({"aud": ["tessera", "other"], "azp": "tessera"}, None),
        ({"azp": "tessera"}, None),
        ({"exp": NOW_S + 86_400}, None),
        ({"iat": NOW_S + CLOCK_SKEW_S}, None),
        ({"exp": NOW_S + 1}, None),
        ({"iat": NOW_S + CLOCK_SKEW_S + 1}, "iat"),
        ({"exp": NOW_S}, "exp"),
        ({"iat": NOW_S + 10, "exp": NOW_S + 10}, "iat"),
        ({"iss": "https://sign-in.example/"}, "iss"),
        ({"iss": ["https://sign-in.example"]}, "iss"),
        ({"aud": []}, "aud"),
        ({"aud": ["tessera", 5]}, "aud"),
        ({"nonce": "N-1"}, "nonce"),
        ({"token_use": "id"}, None),
        ({"token_use": None}, "token_use"),
    ],
    ids=repr,
)
def test_claims_are_believed_up_to_their_exact_limits(changes, reason):
    assert reason_of({**CLAIMS, **changes}) == reason


def test_at_hash_binds_the_access_token():
    digest = hashlib.sha256(b"opaque").digest()
    half = urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
    whole = urlsafe_b64encode(digest).rstrip(b"=").decode()

    assert reason_of({**CLAIMS, "at_hash": half}) is None
    assert reason_of({**CLAIMS, "at_hash": whole}) == "at_hash"
    assert reason_of({**CLAIMS, "at_hash": half}, access_token=None) == "at_hash"


@pytest.mark.parametrize(
    ("told", "verified"),
    [
        ({"email_verified": True}, True),
        ({"email_verified": False, "xms_edov": True}, False),
        ({"xms_edov": True}, True),
        ({"xms_edov": "1"}, True),
        ({"xms_edov": False}, False),
        ({}, False),
    ],
    ids=repr,
)
def test_address_is_verified_by_the_claim_that_its_provider_knows(told, verified):
    assert identity_of({"sub": "ada"}, {"sub": "ada", "email": "a@b.example", **told}).email_is_verified is verified


@pytest.mark.parametrize("name", [5, None, "line\nfeed", "\ud800", "x" * 101])
def test_name_that_cannot_be_shown_is_none(name):
    assert identity_of({"sub": "ada"}, {"sub": "ada", "name": name}).display_name == ""
