"""A real redis-server of a test's own: on a free port of loopback, nothing kept."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from localstack.local_server import LocalServer
from localstack.ports import HOST, free_ports
from tests.own_folders import own_server


@dataclass(frozen=True, slots=True)
class RedisServer(LocalServer):
    """A running server; when it is stopped, what it held is gone."""

    TITLE: ClassVar[str] = "Redis"
    FILES: ClassVar[str] = "redis"
    START_TIMEOUT_S: ClassVar[float] = 20.0
    GRACE_S: ClassVar[float] = 5.0

    @property
    def address(self) -> str:
        return f"redis://{HOST}:{self.port}"

    def is_ready(self, said: str) -> bool:
        return "Ready to accept connections" in said

    def freeze(self) -> None:
        """Let the server hang: its connections stay open, and nothing is answered until it is stopped."""
        os.kill(self.process.pid, signal.SIGSTOP)


def require_redis() -> None:
    """Skip the test without a redis-server; on CI, where one must be, the test goes on and fails."""
    if shutil.which("redis-server") is None and os.environ.get("CI") != "true":
        pytest.skip("needs redis-server (Debian, Ubuntu: apt-get install redis-server)")


def start_redis(folder: Path, *options: str, port: int = 0, tls: bool = False) -> RedisServer:
    """Start a server with further command-line `options`; return when it listens. `port` 0 takes any free one."""

    def command(port: int) -> list[str]:
        door = ("--port", "0", "--tls-port", str(port)) if tls else ("--port", str(port))
        nothing_kept = ("--dir", str(folder), "--save", "", "--appendonly", "no")
        return ["redis-server", *door, "--bind", HOST, *nothing_kept, *options]

    return RedisServer.launch(folder, [port] if port else free_ports(), command)


@contextmanager
def running_redis(*options: str, port: int = 0, tls: bool = False) -> Iterator[RedisServer]:
    """Give a server for as long as the block runs."""
    require_redis()
    with own_server("redis", lambda folder: start_redis(folder, *options, port=port, tls=tls)) as server:
        yield server
