"""What goes wrong between a process and AWS: a request that never gets there, or an answer that never comes back."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

Send = Callable[[URLLib3Session, Any], Any]


@dataclass
class Fault:
    """Requests of one kind fail: all of them, or the first one. `is_lost` ones have their effect nevertheless."""

    target: str
    is_lost: bool
    is_lasting: bool
    met: int = field(default=0)

    def send(self, really_send: Send, session: URLLib3Session, request: Any) -> Any:
        if not _is(request, self.target) or (self.met and not self.is_lasting):
            return really_send(session, request)
        self.met += 1
        if self.is_lost:
            # To its end: the emulator stops working for whoever hangs up.
            assert really_send(session, request).content is not None
            raise ReadTimeoutError(endpoint_url=request.url)
        raise EndpointConnectionError(endpoint_url=request.url)


@dataclass
class Death:
    """The process is killed at one of its requests to AWS, counted from 1: just before it, or just after."""

    at: int
    is_after: bool
    counted: int = field(default=0)

    def send(self, really_send: Send, session: URLLib3Session, request: Any) -> Any:
        self.counted += 1
        is_here = self.counted == self.at
        if is_here and not self.is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = really_send(session, request)
        if is_here and answer.content is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


class Meeting(Protocol):
    """What stands in the way of requests."""

    def send(self, really_send: Send, session: URLLib3Session, request: Any) -> Any:
        """Send `request`, or let happen to it what may."""


@contextmanager
def met_with(*faults: Meeting) -> Iterator[None]:
    """Let all that is sent to AWS in the block meet with `faults`."""

    def through(fault: Meeting, inner: Send) -> Send:
        return lambda session, request: fault.send(inner, session, request)

    send: Send = URLLib3Session.send
    for fault in faults:
        send = through(fault, send)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(URLLib3Session, "send", lambda session, request: send(session, request))
        yield


def _is(request: Any, target: str) -> bool:
    """Answer whether a request is of a kind: the end of its target, and perhaps a word of its body."""
    verb, _, word = target.partition(" ")
    named = request.headers.get("X-Amz-Target", b"")
    named = named.decode() if isinstance(named, bytes) else named
    body = request.body or b""
    return named.endswith(f".{verb}") and word.encode() in (body if isinstance(body, bytes) else body.encode())
