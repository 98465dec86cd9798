"""A request that creates something may be sent twice and creates once (Idempotency-Key).

The id of what will be created is chosen and remembered before anything else happens. A repetition finds the same id,
and creating under an id that exists changes nothing, so a crash at any point leaves nothing half-remembered.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

from shared.kernel.clock import Clock
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import IdempotencyKey, TenantId, UserId, new_id

REMEMBERED_FOR: Final = timedelta(hours=24)


class IdempotencyKeyReusedError(TesseraError):
    """The key was sent before with another request."""

    code: ClassVar[str] = "idempotency-key-reused"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class RememberedRequest:
    """What a request with an idempotency key asked for (as a hash), and the id that was chosen for its result."""

    name: str
    fingerprint: str
    chosen_id: str
    expires_at: datetime


class Requester(Protocol):
    """Who asks: keys are one user's own, within one tenant."""

    @property
    def tenant(self) -> TenantId: ...

    @property
    def user(self) -> UserId: ...


class RequestMemory(Protocol):
    """Requests of one tenant by name."""

    async def remember(self, tenant: TenantId, request: RememberedRequest, now: datetime) -> RememberedRequest:
        """Keep `request` unless one of its name is known and not expired at `now`; return the one that is kept."""
        ...


@dataclass(frozen=True, slots=True)
class RepeatedRequests:
    """Chooses ids so that repetitions of one request agree on them."""

    memory: RequestMemory
    clock: Clock

    async def choose_id(
        self, caller: Requester, prefix: str, key: IdempotencyKey | None, *asked_for: str | None
    ) -> str:  # fmt: skip
        """Return a new id of kind `prefix`, or the one that this caller's earlier request with `key` was given.

        `asked_for` is all that makes the request what it is. Raises: IdempotencyKeyReusedError when it differs.
        """
        now = self.clock.now()
        fresh = new_id(prefix, now)
        if key is None:
            return fresh
        # Keys are the caller's own: two users of a tenant never meet in one.
        name = _hash(prefix, caller.user, key)
        asked = RememberedRequest(name, _hash(*asked_for), fresh, now + REMEMBERED_FOR)
        known = await self.memory.remember(caller.tenant, asked, now)
        if known.fingerprint != asked.fingerprint:
            raise IdempotencyKeyReusedError(
                "This Idempotency-Key was sent with another request. Use a new key for each new request."
            )
        return known.chosen_id


def _hash(*parts: str | None) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
