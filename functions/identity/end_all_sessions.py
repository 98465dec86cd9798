"""Sign out everywhere (T2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /sessions/end-all",
    permission=Permission.ACCOUNT,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def end_all_sessions(caller: Caller, services: Services) -> None:
    """End all of the caller's sessions in this organisation. Their access tokens are refused within a minute.

    Raises: SessionsBusyError.
    """
    await services.identity.session_ending.end_all(caller.tenant, caller.user)
