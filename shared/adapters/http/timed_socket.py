"""A socket with one deadline for all that is sent and received over it.

A socket's own time-out counts from byte to byte, so a server that sends one byte a second could hold a request forever.
"""

import io
import socket
import time
from collections.abc import Callable
from typing import Any


class Deadline:
    """A moment of the monotonic clock, `timeout_s` from now."""

    def __init__(self, timeout_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.timeout_s = timeout_s
        self._monotonic = monotonic
        self._ends_at = monotonic() + timeout_s

    def left_s(self) -> float:
        """Return the seconds that are left, more than none. Raises: TimeoutError."""
        left = self._ends_at - self._monotonic()
        if left <= 0:
            raise TimeoutError("no complete answer in time")
        return left


class TimedSocket:
    """What `http.client` needs of a socket; whoever connected the socket closes it."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def sendall(self, content: Any) -> None:
        self._socket.settimeout(self._deadline.left_s())
        self._socket.sendall(content)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._socket, self._deadline))

    def close(self) -> None:
        """Do nothing: `http.client` closes as soon as it has sent all, and the answer is still to be read."""


class _TimedReader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(self._deadline.left_s())
        return self._socket.recv_into(buffer)
