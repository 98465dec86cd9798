"""Choose another password (T2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.identity.session_bodies import ChangePasswordRequest
from shared.operations.capabilities import ACCOUNTS, IDENTITY
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /account/password",
    permission=Permission.ACCOUNT,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[IDENTITY.read, IDENTITY.write, ACCOUNTS.read, ACCOUNTS.write],
    across_tenants="a password is a person's, and its change ends their sessions in all their organisations",
    memory_mb=1024,
)
async def change_password(request: ChangePasswordRequest, caller: Caller, services: Services) -> None:
    """Replace the caller's password, and end all their sessions, in every organisation: sign in again.

    Their access tokens are refused within a minute. A wrong present password counts as a wrong sign-in. The new one
    has 12 to 128 characters, is none of those that are commonly tried, and holds no part of the e-mail address.

    Raises: WeakPasswordError, WrongPasswordError, SignInLockedError, PasswordChangedMeanwhileError, SessionsBusyError.
    """
    await services.identity.password_change.change(
        caller.user, request.present_password.get_secret_value(), request.new_password.get_secret_value()
    )
