"""Beginning, refreshing and ending sessions (T2)."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.identity.access_tokens import AccessToken, AccessTokens
from shared.identity.permissions import Role
from shared.identity.security_events import SecurityEventKind, new_event
from shared.identity.sessions import (
    InvalidRefreshTokenError,
    RefreshToken,
    Session,
    SessionsBusyError,
    SessionStore,
    Standing,
    new_session,
    read_refresh_token,
)
from shared.identity.users import Memberships, PasswordChangedMeanwhileError, User, Users
from shared.kernel.clock import Clock
from shared.kernel.ids import SessionId, TenantId, UserId, new_id

_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a user gets: an access token, and the refresh token that is good for the next one."""

    tenant: TenantId
    user: UserId
    role: Role
    access: AccessToken
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime


class SessionEnding:
    """Ends sessions. Implements `Sessions`."""

    def __init__(self, store: SessionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def end(self, refresh_token: str) -> None:
        """End the session of a token, also of one that was replaced; any other token ends nothing."""
        try:
            token = read_refresh_token(refresh_token)
        except InvalidRefreshTokenError:
            return
        session = await self._store.session(token.tenant, token.user, token.session)
        now = self._clock.now()
        if session is not None and session.standing(token, now) is not Standing.STRANGER:
            await self._store.revoke(session, now)

    async def end_all(self, tenant: TenantId, user: UserId) -> None:
        now = self._clock.now()
        live = [session for session in await self._store.sessions_of(tenant, user) if session.is_live(now)]
        await asyncio.gather(*(self._store.revoke(session, now) for session in live))


class SessionKeeper:
    """Begins sessions, and replaces their tokens."""

    def __init__(
        self, store: SessionStore, users: Users, memberships: Memberships, tokens: AccessTokens, clock: Clock
    ) -> None:
        self._store = store
        self._users = users
        self._memberships = memberships
        self._tokens = tokens
        self._clock = clock

    async def begin(self, tenant: TenantId, user: User, role: Role) -> SignedIn:
        """Begin a session of a user who has just proved who they are, and is a member in that role.

        Raises: PasswordChangedMeanwhileError when the password is no longer the one that `user` carries;
        NoSigningKeyError, SigningKeysUnavailableError, SessionsBusyError.
        """
        now = self._clock.now()
        session_id = SessionId(new_id("ses", now))
        session, token = new_session(tenant, user.user_id, session_id, user.password_version, now)
        access = await self._tokens.issue(tenant, user.user_id, role, session_id)
        if not await self._store.add(session):
            raise PasswordChangedMeanwhileError
        return SignedIn(tenant, user.user_id, role, access, str(token), session.expires_at)

    async def refresh(self, refresh_token: str) -> SignedIn:
        """Exchange a refresh token for an access token of the member's present role, and for its successor.

        Sent again within ten seconds it is answered with the same successor; sent again later it ends the session, and
        the organisation's owners can read of it.

        Raises: InvalidRefreshTokenError for any token that is no good, also of a user who is no member any more;
        NoSigningKeyError, SigningKeysUnavailableError, SessionsBusyError.
        """
        token = read_refresh_token(refresh_token)
        for _ in range(_TRIES):
            session = await self._store.session(token.tenant, token.user, token.session)
            if session is None:
                raise InvalidRefreshTokenError
            answer = await self._answer(session, token)
            if answer is not None:
                return answer
        raise SessionsBusyError

    async def _answer(self, session: Session, token: RefreshToken) -> SignedIn | None:
        """Return the answer to `token` by the session as it was read, None when that was overtaken."""
        now = self._clock.now()
        match session.standing(token, now):
            case Standing.STRANGER:
                raise InvalidRefreshTokenError
            case Standing.REUSED:
                event = new_event(
                    SecurityEventKind.REFRESH_TOKEN_REUSED, now, user=session.user, session=session.session
                )  # fmt: skip
                await self._store.revoke(session, now, event)
                raise InvalidRefreshTokenError
            case Standing.REPLACED:
                role = await self._present_role(session, now)
                return await self._signed_in(session, role, session.successor_of(token))
            case Standing.CURRENT:
                role = await self._present_role(session, now)
                rotated = session.rotate(token, now)
                # Signed before anything is written: a token that was used up for no answer would end the session.
                answer = await self._signed_in(rotated, role, rotated.successor_of(token))
                return answer if await self._store.replace(session, rotated) else None

    async def _present_role(self, session: Session, now: datetime) -> Role:
        user, role = await asyncio.gather(
            self._users.by_id(session.user), self._memberships.role_of(session.tenant, session.user)
        )
        if user is None or user.password_version != session.password_version or role is None:
            await self._store.revoke(session, now)
            raise InvalidRefreshTokenError
        return role

    async def _signed_in(self, session: Session, role: Role, successor: RefreshToken) -> SignedIn:
        access = await self._tokens.issue(session.tenant, session.user, role, session.session)
        return SignedIn(session.tenant, session.user, role, access, str(successor), session.expires_at)
