"""A real redis-server of a test's own: on a free port of loopback, nothing kept, ended by its own process number."""

import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from localstack import process

HOST = "127.0.0.1"
START_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running server."""

    port: int
    process: process.Process

    @property
    def address(self) -> str:
        return f"redis://{HOST}:{self.port}"

    def stop(self) -> None:
        """End the server; what it held is gone."""
        if self.process.is_running():
            os.kill(self.process.pid, signal.SIGCONT)
        self.process.stop(grace_s=5)

    def freeze(self) -> None:
        """Let the server hang: its connections stay open, and nothing is answered until it is stopped."""
        os.kill(self.process.pid, signal.SIGSTOP)


def require_redis() -> None:
    """Skip the test without a redis-server; on CI, where one must be, the test goes on and fails."""
    if shutil.which("redis-server") is None and os.environ.get("CI") != "true":
        pytest.skip("needs redis-server (Debian, Ubuntu: apt-get install redis-server)")


def start_redis(folder: Path, *options: str, port: int = 0, tls: bool = False) -> RedisServer:
    """Start a server with further command-line `options`; return when it listens. `port` 0 takes any free one."""
    port = port or free_port()
    door = ("--port", "0", "--tls-port", str(port)) if tls else ("--port", str(port))
    argv: Sequence[str] = (
        "redis-server", *door, "--bind", HOST, "--dir", str(folder), "--save", "", "--appendonly", "no", *options,
    )  # fmt: skip
    started = process.start(argv, env=os.environ, log=folder / f"redis-{port}.log", directory=folder)
    _wait(port, started, folder)
    return RedisServer(port, started)


@contextmanager
def running_redis(*options: str, tls: bool = False) -> Iterator[RedisServer]:
    """Give a server for as long as the block runs."""
    require_redis()
    with tempfile.TemporaryDirectory() as folder:
        server = start_redis(Path(folder), *options, tls=tls)
        try:
            yield server
        finally:
            server.stop()


def _wait(port: int, started: process.Process, folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and started.is_running():
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError((folder / f"redis-{port}.log").read_text(encoding="utf-8"))


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
