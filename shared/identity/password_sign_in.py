"""Signing in with a password, and choosing another one (T2).

Whoever knows no password learns nothing here: an unknown address and a wrong password get the same answer after the
same work, are counted alike, and are locked alike.
"""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

from shared.identity.guesses import GuessAllowance, Guesses
from shared.identity.passwords import PasswordHasher, check_password
from shared.identity.security_events import SecurityEventKind, SecurityEvents, new_event
from shared.identity.session_keeping import SessionKeeper, SignedIn
from shared.identity.sessions import Sessions
from shared.identity.users import Memberships, User, Users
from shared.kernel.clock import Clock
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId, UserId

_NO_TENANT: Final = TenantId("-")
"""Where failures are kept that concern no organisation: no tenant can have this id."""


class WrongCredentialsError(TesseraError):
    """The address has no account, or the password is wrong: the answer does not say which."""

    code: ClassVar[str] = "wrong-credentials"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class WrongPasswordError(TesseraError):
    """The password that is to be replaced is another one."""

    code: ClassVar[str] = "wrong-password"
    kind: ClassVar[Kind] = Kind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("The present password is wrong.")


class ChooseTenantError(TesseraError):
    """The user belongs to several organisations; the fact `tenants` lists their ids, separated by commas."""

    code: ClassVar[str] = "choose-tenant"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self, tenants: Sequence[TenantId]) -> None:
        super().__init__("You belong to several organisations. Name one as tenant.", tenants=",".join(tenants))


class NotAMemberError(TesseraError):
    """The password is right, but the user belongs to no such organisation."""

    code: ClassVar[str] = "not-a-member"
    kind: ClassVar[Kind] = Kind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("You are not a member there. Ask an owner of the organisation for an invitation.")


class PasswordCheck:
    """Tells whether a password is right, for so many guesses as its address has left."""

    def __init__(
        self,
        memberships: Memberships,
        hasher: PasswordHasher,
        allowance: GuessAllowance,
        events: SecurityEvents,
        clock: Clock,
    ) -> None:
        self._memberships = memberships
        self._hasher = hasher
        self._allowance = allowance
        self._events = events
        self._clock = clock

    async def is_right(self, email: str, user: User | None, password: str) -> bool:
        """Answer whether `password` is that of `user`, whom the address `email` led to; None is nobody.

        Raises: SignInLockedError while the address has no guesses left.
        """
        guesses = await self._allowance.take(email)
        if user is None or user.password_hash is None:
            await self._hasher.verify_nobody(password)
        elif await self._hasher.verify(user.password_hash, password):
            await self._allowance.clear(email)
            return True
        await self._record_failure(user, guesses)
        return False

    async def _record_failure(self, user: User | None, guesses: Guesses) -> None:
        now = self._clock.now()
        is_locked = guesses.is_locked(now)
        kind = SecurityEventKind.SIGN_IN_LOCKED if is_locked else SecurityEventKind.SIGN_IN_FAILED
        user_id = None if user is None else user.user_id
        event = new_event(kind, now, user=user_id, guesses=str(guesses.count))
        # As much is read and written for nobody as for somebody.
        tenants = await self._memberships.tenants_of(user_id or UserId("nobody"))
        await asyncio.gather(*(self._events.record(tenant, event) for tenant in tenants or [_NO_TENANT]))


class PasswordSignIn:
    """Signs users in by address and password."""

    def __init__(
        self,
        users: Users,
        memberships: Memberships,
        hasher: PasswordHasher,
        check: PasswordCheck,
        keeper: SessionKeeper,
    ) -> None:
        self._users = users
        self._memberships = memberships
        self._hasher = hasher
        self._check = check
        self._keeper = keeper

    async def sign_in(self, email: str, password: str, tenant: TenantId | None = None) -> SignedIn:
        """Begin a session. `email` is in its one spelling; without `tenant` the user's only organisation is meant.

        Raises: WrongCredentialsError, SignInLockedError; with the right password ChooseTenantError, NotAMemberError,
        PasswordChangedMeanwhileError, NoSigningKeyError, SigningKeysUnavailableError, SessionsBusyError.
        """
        user = await self._users.by_email(email)
        if not await self._check.is_right(email, user, password) or user is None:
            raise WrongCredentialsError
        await self._keep_hash_current(user, password)
        chosen = tenant if tenant is not None else await self._only_tenant(user)
        role = await self._memberships.role_of(chosen, user.user_id)
        if role is None:
            raise NotAMemberError
        return await self._keeper.begin(chosen, user, role)

    async def _only_tenant(self, user: User) -> TenantId:
        tenants = await self._memberships.tenants_of(user.user_id)
        if not tenants:
            raise NotAMemberError
        if len(tenants) > 1:
            raise ChooseTenantError(tenants)
        return tenants[0]

    async def _keep_hash_current(self, user: User, password: str) -> None:
        """Hash anew what was hashed with weaker parameters: only now the password is at hand."""
        if user.password_hash is not None and self._hasher.needs_rehash(user.password_hash):
            await self._users.rehash_password(user, await self._hasher.hash(password))


class PasswordChange:
    """Replaces passwords."""

    def __init__(
        self,
        users: Users,
        memberships: Memberships,
        hasher: PasswordHasher,
        check: PasswordCheck,
        sessions: Sessions,
        events: SecurityEvents,
        clock: Clock,
    ) -> None:
        self._users = users
        self._memberships = memberships
        self._hasher = hasher
        self._check = check
        self._sessions = sessions
        self._events = events
        self._clock = clock

    async def change(self, user_id: UserId, present: str, wanted: str) -> None:
        """Replace the password of a user, and end all their sessions, in every organisation.

        The new password counts at once and takes every session with it; what follows only tidies up.
        Raises: WeakPasswordError, WrongPasswordError, SignInLockedError, PasswordChangedMeanwhileError.
        """
        user = await self._users.by_id(user_id)
        if user is None:
            raise WrongPasswordError
        check_password(wanted, user.email)
        if not await self._check.is_right(user.email, user, present):
            raise WrongPasswordError
        await self._users.replace_password(user, await self._hasher.hash(wanted))
        event = new_event(SecurityEventKind.PASSWORD_CHANGED, self._clock.now(), user=user_id, by=user_id)
        for tenant in await self._memberships.tenants_of(user_id):
            await self._sessions.end_all(tenant, user_id)
            await self._events.record(tenant, event)
