"""Folders whose servers belong to this process: they end with it, however it ends, and the folders go with them.

Who reads from a pipe hears when the last writer is gone, be it killed. A process in a session of its own does nothing
but listen, and then does what is left to do.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, TypeVar

from localstack import process
from localstack.install import ROOT
from localstack.local_server import LocalServer

Started = TypeVar("Started", bound=LocalServer)

PLACES = ("*.json", "*/*.json")
"""Servers lie in a folder itself, or in a part of it."""
LARGEST = 1000
"""Bytes of a process file; what a server keeps beside it may be large."""


@contextmanager
def own_folder(title: str) -> Iterator[Path]:
    """Give a new folder for as long as the block runs; the servers in it end with it."""
    with tempfile.TemporaryDirectory(prefix=f"tessera-{title}-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        with ending_with_this_process(folder):
            try:
                yield folder
            finally:
                end_servers_in(folder)


@contextmanager
def own_server(title: str, start: Callable[[Path], Started]) -> Iterator[Started]:
    """Give the server that `start` starts in a new folder, for as long as the block runs."""
    with own_folder(title) as folder:
        server = start(folder)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def ending_with_this_process(folder: Path) -> Iterator[None]:
    """End the servers of `folder` and remove it, if this process is gone before the block ends."""
    _tell("+", folder)
    try:
        yield
    finally:
        _tell("-", folder)


def end_servers_in(folder: Path) -> None:
    """End every server whose process file lies in `folder`."""
    for place in PLACES:
        for file in folder.glob(place):
            running = process.load(file) if file.stat().st_size < LARGEST else None
            if running is not None:
                running.stop(grace_s=2)


def _tell(sign: str, folder: Path) -> None:
    with suppress(BrokenPipeError):  # somebody ended the listener: what this process ends itself, ends all the same
        _listener().write(f"{sign}{folder}\n".encode())
        _listener().flush()


@cache
def _listener() -> IO[bytes]:
    argv = [sys.executable, "-m", "tests.own_folders"]
    listening = subprocess.Popen(
        argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    listening.returncode = 0  # Popen would warn about a child that nobody waits for
    assert listening.stdin is not None
    return listening.stdin


def _listen() -> None:
    owned: set[Path] = set()
    for line in sys.stdin:
        folder = Path(line[1:].rstrip("\n"))
        (owned.add if line[0] == "+" else owned.discard)(folder)
    for folder in owned:
        end_servers_in(folder)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.nice(5)
    _listen()
