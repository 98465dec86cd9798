"""Credentials for one tenant at a time: a function assumes a role with a policy that leaves it that tenant (T5).

boto3 clients stay one per function: their credentials answer at signing time, for the tenant of the present call.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from shared.kernel.clock import Clock
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

LIFETIME: Final = timedelta(hours=1)
"""The longest that AWS gives a role which another role assumes."""
RENEWED_AT: Final = timedelta(minutes=25)
"""With so much left a session is replaced. Links that it signed end with it, so none may live longer than this."""
USABLE_UNTIL: Final = timedelta(minutes=1)
"""With so much left an old session still serves when no new one is to be had."""
MOST_TENANTS: Final = 1_000
_SHORTEST_NAME: Final = 2

_log = logging.getLogger("tessera.sessions")

PolicyOf = Callable[[TenantId], str]
"""Return the session policy of a tenant."""


class TenantSessionUnavailableError(TesseraError):
    """AWS gave no credentials for the tenant."""

    code: ClassVar[str] = "tenant-session-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    retry_after_s: ClassVar[float] = 2

    def __init__(self) -> None:
        super().__init__("Your organisation's data is out of reach for a moment. Send the request again shortly.")


@dataclass(frozen=True, slots=True)
class _Session:
    credentials: ReadOnlyCredentials
    expires_at: datetime


class TenantSessions:
    """The sessions of one process: the latest `most` tenants, each asked for once however many threads want it."""

    def __init__(
        self, sts: "STSClient", role_arn: str, policy_of: PolicyOf, clock: Clock, most: int = MOST_TENANTS
    ) -> None:
        self._sts = sts
        self._role_arn = role_arn
        self._policy_of = policy_of
        self._clock = clock
        self._most = most
        self._sessions: OrderedDict[TenantId, _Session] = OrderedDict()
        self._asking: dict[TenantId, threading.Lock] = {}
        self._lock = threading.Lock()

    def credentials(self, tenant: TenantId) -> ReadOnlyCredentials:
        """Return credentials that reach `tenant` and nobody else, good for `USABLE_UNTIL` at least.

        Raises: TenantSessionUnavailableError.
        """
        fresh = self._found(tenant, RENEWED_AT)
        if fresh is not None:
            return fresh
        with self._lock:
            asking = self._asking.setdefault(tenant, threading.Lock())
        try:
            with asking:
                # Whoever waited finds what the one before asked for.
                return self._found(tenant, RENEWED_AT) or self._ask(tenant)
        finally:
            with self._lock:
                self._asking.pop(tenant, None)

    def _found(self, tenant: TenantId, left: timedelta) -> ReadOnlyCredentials | None:
        with self._lock:
            session = self._sessions.get(tenant)
            if session is None or session.expires_at - self._clock.now() < left:
                return None
            self._sessions.move_to_end(tenant)
            return session.credentials

    def _ask(self, tenant: TenantId) -> ReadOnlyCredentials:
        try:
            given = self._sts.assume_role(
                RoleArn=self._role_arn,
                RoleSessionName=tenant.ljust(_SHORTEST_NAME, "@"),
                Policy=self._policy_of(tenant),
                DurationSeconds=int(LIFETIME.total_seconds()),
            )["Credentials"]
        except (ClientError, BotoCoreError) as error:
            _log.warning("no session for a tenant", extra={"tenant": tenant}, exc_info=error)
            old = self._found(tenant, USABLE_UNTIL)
            if old is None:
                raise TenantSessionUnavailableError from error
            return old
        credentials = ReadOnlyCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        with self._lock:
            self._sessions[tenant] = _Session(credentials, given["Expiration"])
            self._sessions.move_to_end(tenant)
            if len(self._sessions) > self._most:
                self._sessions.popitem(last=False)
        return credentials


class CallCredentials(Credentials):
    """What a client signs with: the session of the tenant whom the call serves, else the function's own role."""

    def __init__(self, own: Credentials | None, sessions: Callable[[], TenantSessions]) -> None:
        """`sessions` is asked for with the first call that serves a tenant."""
        super().__init__("", "")
        self._own = own
        self._sessions = sessions
        self._served: ContextVar[TenantId | None] = ContextVar("served", default=None)

    def serve(self, tenant: TenantId | None) -> None:
        """Say whom the call that follows in this thread or task serves; None is nobody in particular."""
        self._served.set(tenant)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Raises: TenantSessionUnavailableError, NoCredentialsError."""
        tenant = self._served.get()
        if tenant is not None:
            return self._sessions().credentials(tenant)
        if self._own is None:
            raise NoCredentialsError
        return self._own.get_frozen_credentials()


@dataclass(frozen=True)
class OneProvider:
    """What botocore asks for credentials, in place of its search through environment, files and machines."""

    credentials: Credentials

    def load_credentials(self) -> Credentials:
        return self.credentials
