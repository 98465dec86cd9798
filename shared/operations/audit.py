"""The audit in the entry layer: what a request did, read or was refused is told of whatever its operation is (T7).

No operation knows of it. Writes are told of by the transactions that do them; everything else here: an access is told
of while the operation runs, and no answer leaves before that is safe. Who is not recognised reads nothing of a tenant,
so only their writes are told of.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, get_type_hints

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from shared.audit.acts import ADMINISTRATOR, ANONYMOUS, SYSTEM, Act
from shared.audit.events import AuditEvent
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.clock import Clock, SystemClock
from shared.kernel.ids import TenantId, new_id
from shared.operations.capabilities import IDENTITY, METADATA, UPLOADS
from shared.operations.declaration import DeclarationError, HttpTrigger, Operation
from shared.operations.limits import address_of
from shared.operations.tenants import TENANT_IN_PATH, within

_PART: Final = re.compile(r"\{(\w+)\}")
_NO_ID: Final = "~"
"""What stands for a part of a path that is no id of its kind: whatever else somebody writes there is content."""


class Trail(Protocol):
    """Takes events of accesses and refusals."""

    async def tell(self, event: AuditEvent) -> None:
        """Return once the event cannot be lost any more. Raises: a TesseraError when nothing can take it."""
        ...


TrailOf = Callable[[Operation], Trail]
"""Return where one operation's accesses are told of, limited to what it declares."""


class OperationAudit:
    """The audit of one operation's requests."""

    def __init__(self, operation: Operation, trigger: HttpTrigger, trail_of: TrailOf | None) -> None:
        """Raises: DeclarationError for a route with a caller that nobody tells of."""
        if trigger.permission is not None and trail_of is None:
            raise DeclarationError(f"{trigger.route} is for callers, and nobody tells what they do.")
        self.operation = operation
        self.trail_of = trail_of
        self.writes = METADATA.write in operation.uses or IDENTITY.write in operation.uses
        self.erases = UPLOADS.delete in operation.uses
        self.is_across = trigger.permission is Permission.TENANT_OPERATE
        self._path = trigger.path
        hints = get_type_hints(operation.function, include_extras=True)
        self._kinds = {name: TypeAdapter(hints[name]) for name in _PART.findall(trigger.path)}

    def begin(self, request: Request, request_id: str) -> "RequestAudit":
        """Return the audit of one request, which as yet nobody sent."""
        act = Act(self.operation.id, ANONYMOUS, request_id, resource=self._resource(request.path_params))
        act.ip = address_of(request)
        return RequestAudit(self, act, request.path_params)

    def _resource(self, path_params: Mapping[str, Any]) -> str:
        def part(found: re.Match[str]) -> str:
            try:
                return str(self._kinds[found[1]].validate_python(path_params.get(found[1])))
            except ValidationError:
                return _NO_ID

        return _PART.sub(part, self._path.removeprefix("/"))


class RequestAudit:
    """What one request was, and what became of it."""

    def __init__(self, audit: OperationAudit, act: Act, path_params: Mapping[str, Any], clock: Clock | None = None):
        self.act = act
        self._audit = audit
        self._named = path_params.get(TENANT_IN_PATH) if audit.is_across else None
        self._clock = clock or SystemClock()
        self._telling: asyncio.Task[None] | None = None

    def recognise(self, caller: Caller) -> None:
        """Note who sent the request."""
        act = self.act
        act.actor, act.role, act.key_id, act.tenant = caller.user, caller.role.value, caller.key_id, caller.tenant

    async def admit(self) -> None:
        """Begin to tell of an access, beside the operation.

        What writes is told of by its writes, and what deletes a file before, for no transaction holds a file and an
        event. What an operator does to a tenant stands in that tenant's log, and so is told of only when it is known
        that there is such a tenant. Raises: AuditUnavailableError.
        """
        tenant = self.act.tenant
        if tenant is None or self._named is not None:
            return
        if self._audit.erases:
            await self._tell_access(tenant)
        elif not self._audit.writes:
            self._telling = asyncio.create_task(self._tell_access(tenant))

    async def conclude(self, code: str | None) -> None:
        """Return once everything is told; `code` is the problem's that is to be answered, None for none.

        Raises: AuditUnavailableError.
        """
        tenant = self.act.tenant
        if tenant is None:
            return
        if self._telling is not None:
            await self._telling
        elif code is None and not self.act.writes and not self._audit.erases:
            await self._tell_access(tenant if self._named is None else TenantId(str(self._named)))
        if code is not None:
            await self._tell(self.act.refused(tenant, self._clock.now(), code))

    async def _tell_access(self, tenant: TenantId) -> None:
        await self._tell(self.act.admitted(tenant, self._clock.now()))

    async def _tell(self, event: AuditEvent) -> None:
        if self._audit.trail_of is None:
            raise DeclarationError(f"{self._audit.operation.id} has a caller, and nobody tells what they do.")
        with within(event.tenant):
            await self._audit.trail_of(self._audit.operation).tell(event)


def act_of_system(operation: Operation, request_id: str) -> Act:
    """Return what a consumer or a schedule does, by itself."""
    return Act(operation.id, SYSTEM, request_id)


def act_of_administrator(operation: Operation, context: Any) -> Act:
    """Return what a command does, for whoever may invoke functions of this AWS account."""
    return Act(operation.id, ADMINISTRATOR, invocation_id(context))


def invocation_id(context: Any) -> str:
    """Return the id of a Lambda invocation, or a new one outside of Lambda."""
    return str(getattr(context, "aws_request_id", "") or new_id("req", SystemClock().now()))
