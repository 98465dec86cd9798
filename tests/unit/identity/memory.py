"""Sessions, users and memberships in memory, as the identity table would hold them, for rules that move a clock."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.identity.access_tokens import AccessToken
from shared.identity.permissions import Role
from shared.identity.security_events import SecurityEvent
from shared.identity.sessions import Session
from shared.identity.users import User
from shared.kernel.ids import SessionId, TenantId, UserId
from tests.clocks import ManualClock


@dataclass
class MemorySessions:
    """Implements `SessionStore`; the contract tests hold it to what the table does."""

    versions: dict[UserId, int]
    stored: dict[tuple[TenantId, UserId, SessionId], Session] = field(default_factory=dict)
    events: list[SecurityEvent] = field(default_factory=list)

    async def add(self, session: Session) -> bool:
        if self.versions.get(session.user) != session.password_version or _key(session) in self.stored:
            return False
        self.stored[_key(session)] = session
        return True

    async def session(self, tenant: TenantId, user: UserId, session: SessionId) -> Session | None:
        return self.stored.get((tenant, user, session))

    async def sessions_of(self, tenant: TenantId, user: UserId) -> list[Session]:
        return [session for key, session in sorted(self.stored.items()) if key[:2] == (tenant, user)]

    async def replace(self, before: Session, after: Session) -> bool:
        stored = self.stored.get(_key(before))
        if stored is None or stored.generation != before.generation or stored.revoked_at is not None:
            return False
        self.stored[_key(after)] = after
        return True

    async def revoke(self, session: Session, now: datetime, event: SecurityEvent | None = None) -> bool:
        stored = self.stored.get(_key(session))
        if stored is None or stored.revoked_at is not None:
            return False
        self.stored[_key(session)] = replace(stored, revoked_at=now)
        if event is not None:
            self.events.append(event)
        return True


@dataclass
class MemoryPeople:
    """Implements what sessions ask of `Users` and `Memberships`."""

    users: dict[UserId, User]
    roles: dict[tuple[TenantId, UserId], Role]

    async def by_id(self, user_id: UserId) -> User | None:
        return self.users.get(user_id)

    async def by_email(self, email: str) -> User | None:
        return next((user for user in self.users.values() if user.email == email), None)

    async def replace_password(self, user: User, password_hash: str) -> User:
        raise NotImplementedError

    async def rehash_password(self, user: User, password_hash: str) -> None:
        raise NotImplementedError

    async def tenants_of(self, user_id: UserId) -> list[TenantId]:
        return sorted(tenant for tenant, user in self.roles if user == user_id)

    async def role_of(self, tenant: TenantId, user_id: UserId) -> Role | None:
        return self.roles.get((tenant, user_id))


@dataclass
class UnsignedTokens:
    """Issues access tokens that nobody verifies."""

    clock: ManualClock

    async def issue(self, tenant: TenantId, user: UserId, role: Role, session: SessionId) -> AccessToken:
        return AccessToken(f"{tenant}/{user}/{role}/{session}", self.clock.now() + timedelta(hours=1), 3600)


def _key(session: Session) -> tuple[TenantId, UserId, SessionId]:
    return session.tenant, session.user, session.session
