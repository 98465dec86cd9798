"""Ports of loopback."""

import socket
from collections.abc import Iterator
from typing import Final

HOST: Final = "127.0.0.1"


def is_taken(port: int) -> bool:
    """Answer whether somebody listens on `port` right now."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def free_ports(tries: int = 5) -> Iterator[int]:
    """Give free ports one after the other: between the look and the start, somebody may be faster."""
    for _ in range(tries):
        yield free_port()
