"""API keys: how machines sign in (T2).

A key acts for the member who created it, as the role that member has when the key is used, narrowed to the key's own
permissions and workspaces. So it can never do more than its creator, and ends with the membership. It can never give
out access or look at it: `KEY_PERMISSIONS` lists what a key can have at all, and keys, members, tenants and identity
providers are not in it; a permission that is added to Tessera is not in it either, until somebody decides so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from shared.identity.caller import Caller
from shared.identity.opaque_tokens import OpaqueToken, new_opaque_token, read_opaque_token
from shared.identity.permissions import Permission
from shared.identity.security_events import SecurityEvent, SecurityEventKind, new_event
from shared.kernel.clock import Clock
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import ApiKeyId, TenantId, UserId, WorkspaceId
from shared.kernel.pages import Page, PageToken, collect_page
from shared.tenancy.models import Member, Workspace

KIND: Final = "tsk"
"""What an API key begins with: `tsk_<tenant>.<key>.<secret>`."""

DEFAULT_LIFETIME: Final = timedelta(days=90)
LONGEST_LIFETIME: Final = timedelta(days=365)
KEPT_AFTER_ITS_END: Final = timedelta(days=30)
"""How long the record of a key that has ended can still be looked at."""
USE_NOTED_EVERY: Final = timedelta(minutes=1)
MOST_SECRETS: Final = 5
"""So often can one creation be repeated."""

KEY_PERMISSIONS: Final = frozenset(
    {
        Permission.CALLER_READ,
        Permission.DOCUMENT_READ,
        Permission.DOCUMENT_WRITE,
        Permission.KNOWLEDGE_BASE_READ,
        Permission.KNOWLEDGE_BASE_WRITE,
        Permission.MEMBER_READ,
        Permission.SEARCH,
        Permission.TENANT_READ,
        Permission.WORKSPACE_READ,
        Permission.WORKSPACE_WRITE,
    }
)


class Scope(StrEnum):
    """A permission set by a name that OAuth made usual; each holds the one before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


_READING: Final = frozenset(
    {
        Permission.CALLER_READ,
        Permission.DOCUMENT_READ,
        Permission.KNOWLEDGE_BASE_READ,
        Permission.SEARCH,
        Permission.TENANT_READ,
        Permission.WORKSPACE_READ,
    }
)
SCOPES: Final[dict[Scope, frozenset[Permission]]] = {
    Scope.READ: _READING,
    Scope.WRITE: _READING | {Permission.DOCUMENT_WRITE, Permission.KNOWLEDGE_BASE_WRITE},
    Scope.ADMIN: KEY_PERMISSIONS,
}


class ApiKeyNotFoundError(TesseraError):
    """There is no such key that the caller may see."""

    code: ClassVar[str] = "api-key-not-found"
    kind: ClassVar[Kind] = Kind.MISSING


class PermissionNotGrantableError(TesseraError):
    """The caller does not hold what the key should have."""

    code: ClassVar[str] = "permission-not-grantable"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class WorkspaceNotGrantableError(TesseraError):
    """The key should reach a workspace that is not there, or beyond the caller's own."""

    code: ClassVar[str] = "workspace-not-grantable"
    kind: ClassVar[Kind] = Kind.INVALID


class UnfitLifetimeError(TesseraError):
    """The key would have ended already, or live too long."""

    code: ClassVar[str] = "unfit-lifetime"
    kind: ClassVar[Kind] = Kind.INVALID


class SecretShownError(TesseraError):
    """The key was created before and its secret can be shown no more."""

    code: ClassVar[str] = "secret-shown"
    kind: ClassVar[Kind] = Kind.CONFLICT


class ApiKeyStatus(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key. `workspaces` None means all that its creator reaches.

    `secret_hashes` are SHA-256 digests (hex): each repetition of one creation is answered with a secret of its own, for
    the one before may be lost, and each of them is good.
    """

    tenant: TenantId
    key_id: ApiKeyId
    user: UserId
    name: str
    permissions: frozenset[Permission]
    workspaces: frozenset[WorkspaceId] | None
    secret_hashes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def status(self, now: datetime) -> ApiKeyStatus:
        if self.revoked_at is not None:
            return ApiKeyStatus.REVOKED
        return ApiKeyStatus.ACTIVE if now < self.expires_at else ApiKeyStatus.EXPIRED

    def opens_for(self, sent: OpaqueToken, now: datetime) -> bool:
        """Answer whether `sent` is this key and the key is good; the time taken says nothing about the secret."""
        matching = [sent.matches(known) for known in self.secret_hashes]
        return any(matching) and self.status(now) is ApiKeyStatus.ACTIVE

    def belongs_to(self, member: Member) -> bool:
        """Answer whether `member` created the key, and during this very membership: a key does not outlive one."""
        return member.user_id == self.user and member.created_at <= self.created_at

    @property
    def kept_until(self) -> datetime:
        return (self.revoked_at or self.expires_at) + KEPT_AFTER_ITS_END


class ApiKeyRepository(Protocol):
    """The keys of a tenant; reads are strongly consistent."""

    async def api_key(self, tenant: TenantId, key_id: ApiKeyId) -> ApiKey | None: ...

    async def api_keys(self, tenant: TenantId, limit: int, after: ApiKeyId | None = None) -> list[ApiKey]:
        """Return up to `limit` keys after `after`, in the order of their creation, whatever became of them."""
        ...

    async def create(self, key: ApiKey, event: SecurityEvent) -> bool:
        """Keep a new key and what owners read of it; answer False, and change nothing, when one of its id is there."""
        ...

    async def add_secret(self, tenant: TenantId, key_id: ApiKeyId, secret_hash: str) -> bool:
        """Let one more secret open the key; answer False when it has `MOST_SECRETS`, was revoked, or is not there."""
        ...

    async def revoke(
        self, tenant: TenantId, key_id: ApiKeyId, now: datetime, kept_until: datetime, event: SecurityEvent
    ) -> bool:
        """Note that the key is no longer good, and what owners read of it; answer False when it was not good anyway."""
        ...

    async def note_use(self, tenant: TenantId, key_id: ApiKeyId, now: datetime, unless_since: datetime) -> bool:
        """Note that the key is used, unless that was noted after `unless_since`; answer False when it failed."""
        ...


class WorkspaceLookup(Protocol):
    """The workspaces of a tenant."""

    async def workspace(self, tenant: TenantId, workspace_id: WorkspaceId) -> Workspace | None: ...


def read_api_key(text: str) -> tuple[ApiKeyId, OpaqueToken] | None:
    """Return which key `text` says it is, and its parts; None for anything that is not of its form."""
    sent = read_opaque_token(KIND, text)
    return None if sent is None else (ApiKeyId(f"key_{sent.record}"), sent)


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Creates, lists and revokes keys. Members see and revoke their own; who manages members, everybody's."""

    keys: ApiKeyRepository
    places: WorkspaceLookup
    clock: Clock

    async def create(
        self,
        caller: Caller,
        key_id: ApiKeyId,
        name: str,
        permissions: Iterable[Permission],
        *,
        workspaces: frozenset[WorkspaceId] | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, OpaqueToken]:
        """Create a key for the caller and return it with the token that is shown once.

        `permissions` are among `KEY_PERMISSIONS`. Creating under an id that exists gives that key one more secret.

        Raises: PermissionNotGrantableError, WorkspaceNotGrantableError, UnfitLifetimeError, SecretShownError.
        """
        now = self.clock.now()
        ends = expires_at or now + DEFAULT_LIFETIME
        if not now < ends <= now + LONGEST_LIFETIME:
            raise UnfitLifetimeError(f"Let expires_at be in the future, at most {LONGEST_LIFETIME.days} days from now.")
        wanted = frozenset(permissions)
        _check_permissions(caller, wanted)
        await self._check_workspaces(caller, workspaces)
        token = new_opaque_token(KIND, caller.tenant, key_id)
        key = ApiKey(
            caller.tenant, key_id, caller.user, name, wanted, workspaces, (token.secret_hash,), now, ends
        )  # fmt: skip
        if await self.keys.create(key, _event(SecurityEventKind.API_KEY_CREATED, caller, key, now)):
            return key, token
        if not await self.keys.add_secret(caller.tenant, key_id, token.secret_hash):
            raise SecretShownError("This key was created before. Revoke it and create another one.", key_id=key_id)
        return await self._visible(caller, key_id), token

    async def list(self, caller: Caller, limit: int, token: PageToken | None) -> Page[ApiKey]:
        """List the keys that the caller may see and that were not revoked, oldest first.

        Raises: InvalidPageTokenError.
        """
        return await collect_page(
            lambda count, after: self.keys.api_keys(
                caller.tenant, count, None if after is None else ApiKeyId(after)
            ),
            lambda key: key.key_id,
            lambda key: key.revoked_at is None and _may_see(caller, key),
            limit,
            token,
            (caller.tenant, "api-keys", caller.user),
        )  # fmt: skip

    async def revoke(self, caller: Caller, key_id: ApiKeyId) -> ApiKey:
        """Make a key useless, everywhere within a minute; return what it was. Raises: ApiKeyNotFoundError."""
        key = await self._visible(caller, key_id)
        now = self.clock.now()
        event = _event(SecurityEventKind.API_KEY_REVOKED, caller, key, now)
        await self.keys.revoke(caller.tenant, key_id, now, now + KEPT_AFTER_ITS_END, event)
        return key

    async def _visible(self, caller: Caller, key_id: ApiKeyId) -> ApiKey:
        key = await self.keys.api_key(caller.tenant, key_id)
        if key is None or key.revoked_at is not None or not _may_see(caller, key):
            raise ApiKeyNotFoundError("No such API key. List the API keys to see what there is.")
        return key

    async def _check_workspaces(self, caller: Caller, workspaces: frozenset[WorkspaceId] | None) -> None:
        for workspace in sorted(workspaces or ()):
            if not caller.reaches(workspace) or await self.places.workspace(caller.tenant, workspace) is None:
                raise WorkspaceNotGrantableError("Name workspaces that you can list yourself.", workspace=workspace)


def _check_permissions(caller: Caller, wanted: frozenset[Permission]) -> None:
    for permission in sorted(wanted):
        if permission not in KEY_PERMISSIONS or not caller.holds(permission):
            raise PermissionNotGrantableError(
                f"An API key of yours cannot have {permission}. Leave it out, or ask an owner to create the key.",
                permission=permission,
            )


def _event(kind: SecurityEventKind, caller: Caller, key: ApiKey, now: datetime) -> SecurityEvent:
    return new_event(kind, now, user=key.user, by=caller.user, key=key.key_id, name=key.name)


def _may_see(caller: Caller, key: ApiKey) -> bool:
    return key.user == caller.user or caller.holds(Permission.MEMBER_WRITE)
