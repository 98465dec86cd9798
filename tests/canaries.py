"""What must never show up elsewhere: marks of tenants, and a watch over all that the API says (T5).

A mark is a tenant's id, or its canary, which stands in what the tenant writes. Whoever sends a request may be told the
marks of its own tenant, and those that it sent itself; every other one is a leak. Logs may name the tenant whose
request it is, and never a canary, since they are without content. Names of metrics have no marks at all.
"""

import logging
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final

from shared.identity.permissions import Role

_MARK: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:tenant|canary)-[0-9a-f]{12}|(?:tn|canary)-[0-9a-z]{26})(?![A-Za-z0-9])"
)
_TOKEN: Final = re.compile(r"\beyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+")
_CREDENTIAL: Final = re.compile(r"\b(?:eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+|t[a-z]{2}_[a-z0-9-]+\.[0-9a-z]{26}\.)")


FOUNDING: Final = "/sign-ups"
SIGNING_IN: Final = "/sessions"
METHODS: Final = re.compile(r"/tenants/([^/]+)/sign-in-methods")
CHOICE: Final = '"code":"choose-tenant"'
OURS: Final = "tessera"
"""What the names of our own loggers begin with."""


def canary_of(tenant: str) -> str:
    """Return the mark that stands in the names and contents of a test's tenant."""
    return f"canary-{tenant.rpartition('-')[2]}"


def marks_in(text: str) -> frozenset[str]:
    """Return the marks in a text, also those inside its access tokens."""
    opened = " ".join(_opened(found[1]) for found in _TOKEN.finditer(text))
    return frozenset(found[0] for found in _MARK.finditer(f"{text} {opened}"))


def marks_of(tenants: Collection[str]) -> frozenset[str]:
    """Return all marks of some tenants."""
    return frozenset({*tenants, *(canary_of(tenant) for tenant in tenants)})


def _opened(part: str) -> str:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode(errors="replace")
    except ValueError:
        return ""


@dataclass(frozen=True)
class Leak:
    """Marks where they do not belong."""

    where: str
    marks: frozenset[str]
    text: str


@dataclass
class Watch:
    """Collects leaks, and counts what it looked at so that nobody is content with having looked at nothing."""

    leaks: list[Leak] = field(default_factory=list)
    responses: int = 0
    log_lines: int = 0
    metrics: int = 0
    sent: dict[str, set[str]] = field(default_factory=dict)
    """What marks each tenant itself has sent, whosever they are: those may stand in its records."""

    def look(self, where: str, text: str, allowed: Collection[str]) -> None:
        foreign = marks_in(text) - frozenset(allowed)
        if foreign:
            self.leaks.append(Leak(where, foreign, text[:2000]))

    def tell(self, tenant: str, text: str) -> None:
        """Note that a tenant got the marks in `text` in a way that no request shows."""
        self.sent.setdefault(tenant, set()).update(marks_in(text))

    def hear(self, method: str, path: str, request: str, answer: str) -> frozenset[str]:
        """Look at one answer of the API, and return the marks that its request was about.

        `request` and `answer` are all that was said, line by line: addresses, headers, bodies.
        """
        self.responses += 1
        for tenant in _credentials_in(request):
            self.tell(tenant, request)
        own = _belonging_to(request) | _given(answer) | _shown_to_strangers(path, answer)
        if not _is_operators(request):
            self.look(f"answer to {method} {path}", answer, own)
        return own

    def take(self) -> list[Leak]:
        """Return the leaks that nobody took yet."""
        taken, self.leaks = self.leaks, []
        return taken


_allowed: ContextVar[frozenset[str] | None] = ContextVar("allowed", default=None)


class Watched:
    """An ASGI app whose every response is looked at."""

    def __init__(self, app: Any, watch: Watch) -> None:
        self._app = app
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = [f"{scope['path']} {scope.get('query_string', b'').decode(errors='replace')}"]
        asked += [value.decode(errors="replace") for _, value in scope["headers"]]
        told: list[str] = []

        async def receive_noting() -> Any:
            message = await receive()
            asked.append(message.get("body", b"").decode(errors="replace"))
            return message

        async def send_noting(message: Any) -> None:
            told.extend(f"{name.decode()}: {value.decode()}" for name, value in message.get("headers", ()))
            told.append(message.get("body", b"").decode(errors="replace"))
            await send(message)

        allowed = _allowed.set(_belonging_to("\n".join(asked)))
        try:
            await self._app(scope, receive_noting, send_noting)
        finally:
            _allowed.reset(allowed)
        self._watch.hear(scope["method"], scope["path"], "\n".join(asked), "\n".join(told))


def _belonging_to(request: str) -> frozenset[str]:
    """Return the marks that a request knows: those that it says, and all of whose credentials it carries."""
    return marks_in(request) | marks_of(_credentials_in(request))


def _credentials_in(text: str) -> frozenset[str]:
    """Return the tenants whose credentials stand in a text."""
    return marks_in(" ".join(found[0] for found in _CREDENTIAL.finditer(text)))


def _shown_to_strangers(path: str, answer: str) -> frozenset[str]:
    """Return what anybody is told: the ids of what one founds or proved to belong to, and how to sign in somewhere."""
    if asked := METHODS.fullmatch(path):
        return marks_of({asked[1]})
    if path == FOUNDING or (path == SIGNING_IN and CHOICE in answer):
        return frozenset(mark for mark in marks_in(answer) if not mark.startswith("canary-"))
    return frozenset()


def _given(answer: str) -> frozenset[str]:
    """Return the marks of the tenant for which an answer gives out credentials: whoever gets them is one of it."""
    return marks_of(_credentials_in(answer))


def _is_operators(request: str) -> bool:
    """Answer whether operators ask, who see the organisations of the whole deployment."""
    return any(
        f'"role":"{Role.OPERATOR.value}"' in _opened(found[1]).replace(" ", "") for found in _TOKEN.finditer(request)
    )


class WatchedLogs(logging.Handler):
    """Looks at every line that is logged while a request runs, and at whatever else our own code logs."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.DEBUG)
        self._watch = watch
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        allowed = _allowed.get()
        if allowed is None and not record.name.startswith(OURS):
            return
        self._watch.log_lines += 1
        text = f"{self.format(record)} {record.__dict__}"
        if allowed is not None:
            self._watch.look(f"log of {record.name}", text, allowed)
        if canaries := {mark for mark in marks_in(text) if mark.startswith("canary-")}:
            self._watch.leaks.append(Leak(f"content in the log of {record.name}", frozenset(canaries), text[:2000]))


WATCH: Final = Watch()
"""The watch of this process: every app that a test makes is looked at by it."""


def watched(app: Any) -> Any:
    """Return `app` with all its answers looked at, once."""
    return app if isinstance(app, Watched) else Watched(app, WATCH)


def watched_telemetry(kind: type[Any]) -> None:
    """Look at the names of all that telemetry of this kind takes down from now on."""
    for method in ("count", "duration", "span"):
        setattr(kind, method, _naming(getattr(kind, method)))


def _naming(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def noting(self: Any, name: str, *arguments: Any, **named: Any) -> Any:
        WATCH.metrics += 1
        WATCH.look("name of a metric", name, ())
        return method(self, name, *arguments, **named)

    return noting


@contextmanager
def watched_logs() -> Iterator[None]:
    """Look at all that is logged in this block, also what is too little for warnings."""
    root, ours, handler = logging.getLogger(), logging.getLogger(OURS), WatchedLogs(WATCH)
    level = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        ours.setLevel(level)
