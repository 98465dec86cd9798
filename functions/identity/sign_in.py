"""Sign in with a password (T2)."""

from shared.composition.services import Services
from shared.identity.session_bodies import SessionTokens, SignInRequest
from shared.operations.capabilities import (
    ACCOUNTS,
    IDENTITY,
    NOBODY,
    PUBLIC_KEYS,
    SIGNING_KEYS,
    TOKEN_AUDIENCE,
    TOKEN_ISSUER,
)
from shared.operations.declaration import RateClass, public_operation


@public_operation(
    "POST /sessions",
    rate_class=RateClass.SIGN_IN,
    sets=["tenant"],
    uses=[
        IDENTITY.read,
        IDENTITY.write,
        SIGNING_KEYS.read,
        TOKEN_ISSUER,
        TOKEN_AUDIENCE,
        ACCOUNTS.read,
        ACCOUNTS.write,
        NOBODY.write,
        PUBLIC_KEYS.read,
    ],
    across_tenants="an address leads to a person, who leads to organisations",
    memory_mb=1024,
    timeout_s=10,
)
async def sign_in(request: SignInRequest, services: Services) -> SessionTokens:
    """Begin a session with an e-mail address and a password; both are wrong together, never one of them.

    After five wrong passwords for one address each further one is followed by a longer wait.

    Raises: WrongCredentialsError, SignInLockedError, ChooseTenantError, NotAMemberError,
    PasswordChangedMeanwhileError, NoSigningKeyError, SigningKeysUnavailableError, SessionsBusyError.
    """
    password = request.password.get_secret_value()
    return SessionTokens.of(await services.identity.sign_in.sign_in(request.email, password, request.tenant))
