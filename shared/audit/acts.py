"""Who does what at this moment: opened by the entry layer, read by whatever writes, and nothing lies between (T7)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.audit.events import ADMITTED, DONE, AuditEvent, EventKind, new_event
from shared.kernel.ids import ApiKeyId, TenantId

ANONYMOUS: Final = "anonymous"
"""Whoever asks a public route."""

SYSTEM: Final = "system"
"""Tessera itself: consumers of queues and streams, schedules."""

ADMINISTRATOR: Final = "administrator"
"""Whoever may invoke functions in the AWS account."""


class NoActError(Exception):
    """Something is written and nobody does it: a programming error, for every entry opens an act."""


class NoTenantError(Exception):
    """An act of nobody in particular writes what belongs to no tenant: a programming error."""


@dataclass(slots=True)
class Act:
    """One request, one message, one tick of a schedule or one command.

    `actor` is a user's id, or one of the names above. `tenant` is the one in whose log the act itself stands; None as
    long as nobody is recognised. `resource` is the path that a route names, "" without a route. `request_id` finds the
    same act in logs.
    """

    operation: str
    actor: str
    request_id: str
    role: str | None = None
    key_id: ApiKeyId | None = None
    tenant: TenantId | None = None
    resource: str = ""
    ip: str | None = None
    writes: int = field(default=0, init=False)
    """How many transactions it has done so far."""
    _steps: int = field(default=0, init=False)

    def done(self, tenant: TenantId, resource: str, at: datetime, actor: str | None = None) -> AuditEvent:
        """Return the event of its next write, in the log of `tenant`, of something named as a route would name it.

        `actor` is who an act of nobody in particular turned out to be.
        """
        return self._event(tenant, resource, at, EventKind.WRITE, DONE, actor)

    def admitted(self, tenant: TenantId, at: datetime) -> AuditEvent:
        """Return the event of its access to what its route names."""
        return self._event(tenant, self.resource, at, EventKind.ACCESS, ADMITTED)

    def refused(self, tenant: TenantId, at: datetime, code: str) -> AuditEvent:
        """Return the event of the problem that it ended with."""
        return self._event(tenant, self.resource, at, EventKind.REFUSAL, code)

    def _event(
        self, tenant: TenantId, resource: str, at: datetime, kind: EventKind, outcome: str, actor: str | None = None
    ) -> AuditEvent:
        step = self._steps
        self._steps += 1
        return new_event(
            tenant=tenant,
            at=at,
            actor=actor if actor is not None and self.actor == ANONYMOUS else self.actor,
            role=self.role,
            key_id=self.key_id,
            operation=self.operation,
            resource=resource,
            kind=kind,
            outcome=outcome,
            ip=self.ip,
            request_id=self.request_id,
            step=step,
        )


_current: ContextVar[Act | None] = ContextVar("act", default=None)


def current_act() -> Act:
    """Return what is being done. Raises: NoActError."""
    act = _current.get()
    if act is None:
        raise NoActError("Only an entry of the entry layer opens an act, and this runs outside of one.")
    return act


@contextmanager
def acting(act: Act) -> Iterator[Act]:
    """Let all that happens in the block, also in tasks and threads that it starts, be part of `act`."""
    token = _current.set(act)
    try:
        yield act
    finally:
        _current.reset(token)
