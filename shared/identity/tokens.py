"""What an access token must say before anybody believes it (T2, T3), whoever signed it.

Signatures are an adapter's business; these rules are about claims. Tenant, user and role have patterns because they
become parts of keys: nothing that could end one part and begin another ever passes.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Final, Protocol

from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import SessionId, TenantId, UserId
from shared.kernel.tenants import TENANT_NAME

MAX_LIFETIME_S: Final = 3600
CLOCK_SKEW_S: Final = 30
"""How far the issuer's clock may run ahead of ours; an expired token gets no grace."""

TENANT_PATTERN: Final = re.compile(TENANT_NAME)
USER_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@|:-]{0,127}")
TOKEN_ID_PATTERN: Final = re.compile(r"[\x21-\x7e]{1,255}")
SESSION_PATTERN: Final = re.compile(r"ses_[0-9a-z]{26}")
MAX_AUDIENCES: Final = 16

_NOT_BEFORE: Final = "nbf"
_SESSION: Final = "sid"


class InvalidTokenError(TesseraError):
    """The token is refused. The message is always the same: a reason would help only a forger."""

    code: ClassVar[str] = "invalid-token"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("The access token is not valid. Sign in again and send the new token.")


class TokenKeysUnavailableError(TesseraError):
    """The issuer's keys were never reached, so no token can be judged."""

    code: ClassVar[str] = "token-keys-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class TokenVerifier(Protocol):
    """Tells who a token speaks for."""

    async def verify(self, token: str) -> Caller:
        """Return the caller.

        Raises: InvalidTokenError for any token that is not beyond doubt; TokenKeysUnavailableError when the issuer's
        keys are out of reach and none are remembered.
        """
        ...


def caller_of_claims(claims: Mapping[str, object], *, issuer: str, audience: str, now: datetime) -> Caller:
    """Return the caller whom the claims of a token with a good signature name.

    Dates are whole seconds since 1970; a token lives at most `MAX_LIFETIME_S`. `audience` may be one of several.

    Source: RFC 9068 (access tokens), RFC 7519 §4.1, RFC 8725. Raises: InvalidTokenError.
    """
    if claims.get("iss") != issuer or audience not in _audiences(claims.get("aud")):
        raise InvalidTokenError
    _check_dates(claims, now.timestamp())
    _matching(claims, "jti", TOKEN_ID_PATTERN)
    role = claims.get("role")
    if not isinstance(role, str) or role not in set(Role):
        raise InvalidTokenError
    return Caller(
        TenantId(_matching(claims, "tenant", TENANT_PATTERN)),
        UserId(_matching(claims, "sub", USER_PATTERN)),
        Role(role),
        session=SessionId(_matching(claims, _SESSION, SESSION_PATTERN)) if _SESSION in claims else None,
    )


def _audiences(claim: object) -> list[str]:
    if isinstance(claim, str):
        return [claim]
    if isinstance(claim, list) and len(claim) <= MAX_AUDIENCES and all(isinstance(name, str) for name in claim):
        return claim
    raise InvalidTokenError


def _check_dates(claims: Mapping[str, object], now: float) -> None:
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    if not 0 < expires - issued <= MAX_LIFETIME_S or expires <= now or issued > now + CLOCK_SKEW_S:
        raise InvalidTokenError
    if _NOT_BEFORE in claims and _seconds(claims, _NOT_BEFORE) > now + CLOCK_SKEW_S:
        raise InvalidTokenError


def _seconds(claims: Mapping[str, object], name: str) -> int:
    value = claims.get(name)
    # True is an int to Python, and 1.5e9 a date to lenient readers; two readers must never see two dates.
    if type(value) is not int:
        raise InvalidTokenError
    return value


def _matching(claims: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise InvalidTokenError
    return value
