"""From the credentials of a request to its caller (T2, T3): what they claim must still be so.

A signature proves what was true when a token was made. Whether its session goes on, and its sender still is a member,
in that role, of an organisation that is open, is looked up. Such an answer is remembered for `REMEMBERED_FOR`, and a
remembered one can only let somebody in: every refusal rests on a fresh look, so nobody has to wait for a new role, key
or membership.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from shared.identity.api_keys import KEY_PERMISSIONS, KIND, USE_NOTED_EVERY, ApiKey, read_api_key
from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.identity.sessions import Session
from shared.identity.tokens import InvalidTokenError, TokenVerifier
from shared.kernel.clock import Clock
from shared.kernel.ids import ApiKeyId, SessionId, TenantId, UserId
from shared.telemetry.ports import Telemetry
from shared.tenancy.figures import effective_figures
from shared.tenancy.models import OPERATORS, Member, Tenant, TenantStatus

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

REMEMBERED_FOR: Final = timedelta(seconds=30)
"""Together with the gateway's own memory of its authorizer's answers this stays within the minute of row T2."""
MOST_REMEMBERED: Final = 10_000


class Members(Protocol):
    """Who belongs to whom; reads are strongly consistent."""

    async def tenant(self, tenant: TenantId) -> Tenant | None: ...

    async def member(self, tenant: TenantId, user_id: UserId) -> Member | None: ...


class SessionLookup(Protocol):
    """Sessions, one by one; reads are strongly consistent."""

    async def session(self, tenant: TenantId, user: UserId, session: SessionId) -> Session | None: ...


class ApiKeyUse(Protocol):
    """Keys, one by one; reads are strongly consistent."""

    async def api_key(self, tenant: TenantId, key_id: ApiKeyId) -> ApiKey | None: ...

    async def note_use(self, tenant: TenantId, key_id: ApiKeyId, now: datetime, unless_since: datetime) -> bool:
        """Note that the key is used, unless that was noted after `unless_since`; answer False when it failed."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What the records say of one member and their organisation."""

    tenant: Tenant
    member: Member

    @property
    def is_good(self) -> bool:
        """Whether the organisation is open, and is the operators' own if, and only if, the member is an operator."""
        is_operator = self.member.role is Role.OPERATOR
        return self.tenant.status is TenantStatus.ACTIVE and is_operator == (self.tenant.tenant == OPERATORS)


class RecentAnswers(Generic[K, V]):
    """The latest answers of look-ups: `most` of them, each for `REMEMBERED_FOR`; the longest unused makes room."""

    def __init__(self, clock: Clock, most: int = MOST_REMEMBERED) -> None:
        self._clock = clock
        self._most = most
        self._answers: OrderedDict[K, tuple[datetime, V]] = OrderedDict()

    def get(self, name: K) -> V | None:
        """Return a remembered answer, None when there is none or it has grown old."""
        answered_at, answer = self._answers.get(name, (None, None))
        if answered_at is None:
            return None
        # A clock that was set back must not make an answer live longer.
        if not timedelta() <= self._clock.now() - answered_at < REMEMBERED_FOR:
            del self._answers[name]
            return None
        self._answers.move_to_end(name)
        return answer

    def put(self, name: K, answer: V, asked_at: datetime) -> None:
        self._answers[name] = (asked_at, answer)
        self._answers.move_to_end(name)
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)

    def amend(self, name: K, answer: V) -> None:
        """Replace an answer that is still remembered; it grows old as if nothing had happened."""
        if name in self._answers:
            self._answers[name] = (self._answers[name][0], answer)


class Authenticator:
    """Recognises the sender of a request by an access token or an API key."""

    def __init__(
        self,
        verifier: TokenVerifier,
        members: Members,
        sessions: SessionLookup,
        keys: ApiKeyUse,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._verifier = verifier
        self._members = members
        self._sessions = sessions
        self._keys = keys
        self._clock = clock
        self._telemetry = telemetry
        self._standings: RecentAnswers[tuple[TenantId, UserId], Standing] = RecentAnswers(clock)
        self._live_sessions: RecentAnswers[tuple[TenantId, UserId, SessionId], Session] = RecentAnswers(clock)
        self._known_keys: RecentAnswers[tuple[TenantId, ApiKeyId], ApiKey] = RecentAnswers(clock)

    async def authenticate(self, bearer: str) -> Caller:
        """Return the caller, with the workspaces they reach and the figures of their tenant as of now.

        Tokens and secrets are checked each time, so what has expired is never let in from memory.

        Raises: InvalidTokenError for all that is not beyond doubt: a token or key that is no good, a session that has
        ended, a member who is gone or has another role than the token says, a suspended tenant.
        TokenKeysUnavailableError when no token can be judged.
        """
        if bearer.startswith(f"{KIND}_"):
            return await self._by_api_key(bearer)
        claimed = await self._verifier.verify(bearer)
        standing = await self._standing(claimed.tenant, claimed.user, lambda member: member.role is claimed.role)
        if claimed.session is not None:
            await self._check_session(claimed.tenant, claimed.user, claimed.session)
        return self._caller(standing)

    async def _check_session(self, tenant: TenantId, user: UserId, session_id: SessionId) -> None:
        now = self._clock.now()
        known = self._live_sessions.get((tenant, user, session_id))
        if known is not None and known.is_live(now):
            return
        session = await self._sessions.session(tenant, user, session_id)
        if session is None or not session.is_live(now):
            raise InvalidTokenError
        self._live_sessions.put((tenant, user, session_id), session, now)

    async def _by_api_key(self, bearer: str) -> Caller:
        key = await self._opened_key(bearer)
        standing = await self._standing(key.tenant, key.user, key.belongs_to)
        await self._note_use(key)
        member = self._caller(standing)
        return replace(
            member,
            key_id=key.key_id,
            permissions=key.permissions & KEY_PERMISSIONS,
            workspaces=member.workspaces
            if key.workspaces is None
            else frozenset(filter(member.reaches, key.workspaces)),
        )

    async def _opened_key(self, bearer: str) -> ApiKey:
        found = read_api_key(bearer)
        if found is None:
            raise InvalidTokenError
        key_id, sent = found
        now = self._clock.now()
        known = self._known_keys.get((sent.tenant, key_id))
        if known is not None and known.opens_for(sent, now):
            return known
        key = await self._keys.api_key(sent.tenant, key_id)
        if key is None or not key.opens_for(sent, now):
            raise InvalidTokenError
        self._known_keys.put((sent.tenant, key_id), key, now)
        return key

    async def _standing(self, tenant: TenantId, user: UserId, fits: Callable[[Member], bool]) -> Standing:
        known = self._standings.get((tenant, user))
        if known is not None and fits(known.member):
            return known
        now = self._clock.now()
        organisation, member = await asyncio.gather(
            self._members.tenant(tenant), self._members.member(tenant, user)
        )  # fmt: skip
        if organisation is None or member is None or not fits(member):
            raise InvalidTokenError
        standing = Standing(organisation, member)
        if not standing.is_good:
            raise InvalidTokenError
        self._standings.put((tenant, user), standing, now)
        return standing

    def _caller(self, standing: Standing) -> Caller:
        member = standing.member
        figures = effective_figures(standing.tenant, self._clock.now())
        return Caller(member.tenant, member.user_id, member.role, workspaces=member.workspaces, figures=figures)

    async def _note_use(self, key: ApiKey) -> None:
        now = self._clock.now()
        if key.last_used_at is not None and now - key.last_used_at < USE_NOTED_EVERY:
            return
        # Whether it worked or not: the next try comes with the next look at the key, not with the next request.
        self._known_keys.amend((key.tenant, key.key_id), replace(key, last_used_at=now))
        if not await self._keys.note_use(key.tenant, key.key_id, now, now - USE_NOTED_EVERY):
            self._telemetry.count("api_key_use_not_noted")
