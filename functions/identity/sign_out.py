"""End a session (T2)."""

from shared.composition.services import Services
from shared.identity.session_bodies import EndSessionRequest
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, public_operation


@public_operation(
    "POST /sessions/end", rate_class=RateClass.SIGN_IN, status=204, uses=[IDENTITY.read, IDENTITY.write],
    across_tenants="the refresh token says in which organisation its session is"
)  # fmt: skip
async def sign_out(request: EndSessionRequest, services: Services) -> None:
    """End the session of a refresh token. A token that is no good ends nothing, and is answered alike.

    Its access tokens are refused within a minute.

    Raises: SessionsBusyError.
    """
    await services.identity.session_ending.end(request.refresh_token.get_secret_value())
