"""The declaration of an operation: written once, beside the function; everything else is derived from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, ParamSpec, TypeVar

from shared.identity.permissions import Permission
from shared.operations.capabilities import (
    ACCESS_QUEUE,
    AUDIT,
    CACHE,
    CELLS,
    IDENTITY,
    LIMITS,
    LIMITS_OF_STRANGERS,
    METADATA,
    Capability,
    Group,
    Queue,
    Table,
    group_of,
)

P = ParamSpec("P")
R = TypeVar("R")

ATTRIBUTE: Final = "__operation__"


class RateClass(StrEnum):
    """Which budget a request is counted against (T4)."""

    READ = "read"
    WRITE = "write"
    ANSWER = "answer"
    SIGN_IN = "sign-in"
    """Guesses at credentials, counted by the address that they come from."""
    NONE = "none"
    """Counted against nothing: probes, which say that the process lives also when nobody can count."""


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """A route. `permission` None marks a route that needs no caller at all (health, sign-in).

    `sets` names the protected fields (tenant, role, plan, quotas) that its body may carry: hardly any route's does.
    `cache_s` says for how long anybody may keep a successful answer, which then is the same for all who ask.
    """

    method: str
    path: str
    permission: Permission | None
    rate_class: RateClass
    status: int = 200
    sets: tuple[str, ...] = ()
    cache_s: int = 0

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """Messages of one queue. `max_concurrency` is the event source's, 2 at least (an AWS limit)."""

    queue: Queue
    batch_size: int = 1
    max_concurrency: int = 10


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """Every so many minutes; a schedule that is late or doubled must do no harm."""

    every_minutes: int


@dataclass(frozen=True, slots=True)
class StreamTrigger:
    """Changes of one table, in order per key."""

    table: Table
    batch_size: int = 100


@dataclass(frozen=True, slots=True)
class AuthorizerTrigger:
    """Stands in front of every route that needs a caller; its answer may be cached for `cache_s` seconds.

    That and what the function itself remembers add up to how long revoked credentials still work: a minute at most.
    """

    cache_s: int = 30


@dataclass(frozen=True, slots=True)
class CommandTrigger:
    """Invoked by name by whoever may invoke the function in AWS: the account's own administrators, no route."""


@dataclass(frozen=True, slots=True)
class MetricAlarm:
    """An alarm on a metric that the operation itself tells telemetry of.

    It goes off when the largest value of a minute exceeds `above`, `minutes` times in a row. `says` is for whoever is
    woken up by it.
    """

    metric: str
    above: float
    minutes: int
    says: str


LambdaHandler = Callable[[dict[str, Any], Any], Any]

Trigger = HttpTrigger | QueueTrigger | ScheduleTrigger | StreamTrigger | AuthorizerTrigger | CommandTrigger


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `id` is the function's, file's, metric's, construct's and OpenAPI's name; `area` its folder."""

    id: str
    area: str
    trigger: Trigger
    function: Callable[..., Any]
    uses: tuple[Capability, ...]
    memory_mb: int
    timeout_s: int
    across_tenants: str = ""
    """Why the operation cannot work for one tenant that its entry knows; empty for all others."""
    alarms: tuple[MetricAlarm, ...] = ()
    """Beside those that every function has."""

    @property
    def module(self) -> str:
        return f"functions.{self.area}.{self.id}"

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """All that the function may use: what it declares, and what its trigger brings along."""
        match self.trigger:
            case QueueTrigger(queue=queue):
                brought: tuple[Capability, ...] = (queue.receive,)
            case HttpTrigger(rate_class=rate_class, permission=permission) if rate_class is not RateClass.NONE:
                counted = LIMITS if permission is not None else LIMITS_OF_STRANGERS
                brought = (counted.read, counted.write, CACHE.connect)
            case _:
                brought = ()
        return tuple(dict.fromkeys((*self.uses, *brought, *self._told)))

    @property
    def _told(self) -> tuple[Capability, ...]:
        """What it takes to tell the audit log of what is done: beside each write, and of each caller's access."""
        if isinstance(self.trigger, HttpTrigger) and self.trigger.permission is not None:
            return (ACCESS_QUEUE.send, AUDIT.append)
        writes = any(table.write in self.uses for table in (METADATA, IDENTITY, CELLS))
        # What the authorizer writes is bookkeeping: when a key was used.
        return (AUDIT.append,) if writes and not isinstance(self.trigger, AuthorizerTrigger) else ()

    @property
    def group(self) -> Group:
        return group_of(self.uses)

    @property
    def summary(self) -> str:
        return (self.function.__doc__ or "").strip().partition("\n")[0]


ServicesOf = Callable[[Operation], object]
"""Return the services of one operation, limited to what it declares."""


class DeclarationError(Exception):
    """An operation is declared in a way that cannot be deployed; raised at import, so a test catches it."""


def operation(
    trigger: str | Trigger | Queue,
    *,
    uses: Sequence[Capability],
    permission: Permission | None = None,
    rate_class: RateClass | None = None,
    status: int = 200,
    sets: Sequence[str] = (),
    batch_size: int = 1,
    max_concurrency: int = 10,
    memory_mb: int = 512,
    timeout_s: int = 10,
    across_tenants: str = "",
    alarms: Sequence[MetricAlarm] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the decorated function as the one operation of its file and return it untouched.

    `trigger` is a route ("GET /things/{thing_id}", which then needs `permission` and `rate_class`), a queue, or a
    trigger object. Routes that need no caller are declared with `public_operation`. `across_tenants` is the reason why
    the entry cannot name the one tenant that the operation works for: few have one.

    Raises: DeclarationError when the parts do not fit.
    """
    if isinstance(trigger, str):
        if permission is None or rate_class is None:
            raise DeclarationError(f"{trigger}: a route names its permission and its rate class.")
        method, _, path = trigger.partition(" ")
        resolved: Trigger = HttpTrigger(method, path, permission, rate_class, status, tuple(sets))
    elif permission is not None or rate_class is not None:
        raise DeclarationError(f"{trigger}: only routes have a permission and a rate class.")
    elif isinstance(trigger, Queue):
        resolved = QueueTrigger(trigger, batch_size, max_concurrency)
    else:
        resolved = trigger
    return _declare(resolved, uses, memory_mb, timeout_s, across_tenants, tuple(alarms))


def public_operation(
    route: str,
    *,
    uses: Sequence[Capability] = (),
    rate_class: RateClass = RateClass.READ,
    status: int = 200,
    sets: Sequence[str] = (),
    cache_s: int = 0,
    memory_mb: int = 256,
    timeout_s: int = 5,
    across_tenants: str = "",
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a route that anyone may call: it has no caller, and must tell nothing about any tenant."""
    method, _, path = route.partition(" ")
    trigger = HttpTrigger(method, path, None, rate_class, status, tuple(sets), cache_s)
    return _declare(trigger, uses, memory_mb, timeout_s, across_tenants)


def _declare(
    trigger: Trigger,
    uses: Sequence[Capability],
    memory_mb: int,
    timeout_s: int,
    across_tenants: str,
    alarms: tuple[MetricAlarm, ...] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def record(function: Callable[P, R]) -> Callable[P, R]:
        package, _, module = function.__module__.rpartition(".")
        if module != function.__name__:
            raise DeclarationError(f"{function.__name__} must stand in a file of its own name, not in {module}.py.")
        declared = Operation(
            id=module,
            area=package.rpartition(".")[2],
            trigger=trigger,
            function=function,
            uses=tuple(dict.fromkeys(uses)),
            memory_mb=memory_mb,
            timeout_s=timeout_s,
            across_tenants=across_tenants,
            alarms=alarms,
        )
        setattr(function, ATTRIBUTE, declared)
        return function

    return record
