"""What an ID token must say before anybody believes it, whoever signed it (OpenID Connect Core §3.1.3.7).

Signatures are an adapter's business; these rules are about claims.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.identity.oidc_errors import RefusedSignInError

CLOCK_SKEW_S: Final = 60
"""How far the provider's clock may run ahead of ours; an expired token gets no grace."""
MAX_SUBJECT_LENGTH: Final = 255
MAX_AUDIENCES: Final = 16
MAX_NAME_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class ExternalIdentity:
    """Who signed in at a provider. `subject` is the provider's own, unchanging name for the person.

    `email` is as the provider wrote it, None without one; `display_name` is empty without one.
    """

    subject: str
    email: str | None
    email_is_verified: bool
    display_name: str


def check_claims(
    claims: Mapping[str, object], *, issuer: str, client_id: str, nonce: str, access_token: str | None, now: datetime
) -> None:
    """Accept the claims of an ID token with a good signature. `access_token` is what came with it.

    Raises: RefusedSignInError, whose reason is the claim that failed.
    """
    _insist("iss", claims.get("iss") == issuer)
    audiences = _audiences(claims.get("aud"))
    _insist("aud", client_id in audiences)
    if len(audiences) > 1 or "azp" in claims:
        _insist("azp", claims.get("azp") == client_id)
    issued, expires = claims.get("iat"), claims.get("exp")
    # True is an int to Python, and 1.5e9 a date to lenient readers.
    if type(issued) is not int or type(expires) is not int:
        raise RefusedSignInError("exp")
    _insist("exp", expires > now.timestamp())
    _insist("iat", issued < expires and issued <= now.timestamp() + CLOCK_SKEW_S)
    _insist("nonce", claims.get("nonce") == nonce)
    if "at_hash" in claims:
        _insist("at_hash", access_token is not None and claims["at_hash"] == _left_half(access_token))
    # Amazon Cognito signs access tokens with the same keys and tells the two apart by this claim.
    _insist("token_use", claims.get("token_use", "id") == "id")
    _subject(claims)


def identity_of(claims: Mapping[str, object], details: Mapping[str, object]) -> ExternalIdentity:
    """Return whom the checked claims of an ID token name; `details` are the claims that tell of e-mail and name.

    An address counts as verified by `email_verified`, or, for Microsoft Entra ID, which never sends that, by
    `xms_edov`. Raises: RefusedSignInError when `details` are of somebody else (OpenID Connect Core §5.3.2).
    """
    subject = _subject(claims)
    _insist("userinfo", details.get("sub") == subject)
    email, name = details.get("email"), details.get("name")
    return ExternalIdentity(
        subject,
        email if isinstance(email, str) else None,
        _is_true(details.get("email_verified", details.get("xms_edov"))),
        name if isinstance(name, str) and name.isprintable() and len(name) <= MAX_NAME_LENGTH else "",
    )


def _is_true(claim: object) -> bool:
    # Some providers write truth values as strings: Amazon Cognito's userinfo, Entra's optional claims.
    return claim is True or claim in ("true", "1")


def _subject(claims: Mapping[str, object]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject.isascii() or not 0 < len(subject) <= MAX_SUBJECT_LENGTH:
        raise RefusedSignInError("sub")
    return subject


def _audiences(claim: object) -> list[str]:
    if isinstance(claim, str):
        return [claim]
    if isinstance(claim, list) and len(claim) <= MAX_AUDIENCES and all(isinstance(name, str) for name in claim):
        return claim
    raise RefusedSignInError("aud")


def _left_half(access_token: str) -> str:
    # All algorithms that are accepted hash with SHA-256.
    return urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()


def _insist(claim: str, holds: bool) -> None:
    if not holds:
        raise RefusedSignInError(claim)
