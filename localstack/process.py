"""Processes that outlive the command that started them, and are ended only by what knows them."""

import contextlib
import json
import os
import platform
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A started process. `born` is its start time as the system tells it: a reused number is not mistaken for ours."""

    pid: int
    born: str

    def is_running(self) -> bool:
        """Answer whether this very process still lives; a zombie of ours is reaped and counts as ended."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return start_time(self.pid) == self.born

    def stop(self, grace_s: float = 30.0, ask: signal.Signals = signal.SIGTERM) -> None:
        """Ask the process to end, then end what is left of its group (it leads one) after `grace_s` seconds."""
        if not self.is_running():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, ask)
            os.kill(self.pid, signal.SIGCONT)  # one that is suspended hears of it, too
        self._wait(grace_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._wait(5)

    def _wait(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(0.02)

    def save(self, file: Path) -> None:
        write_whole(file, json.dumps(asdict(self)))


def load(file: Path) -> Process | None:
    """Return the process that `file` remembers, if it still runs."""
    process = remembered(file)
    return process if process is not None and process.is_running() else None


def remembered(file: Path) -> Process | None:
    """Return the process that `file` remembers, be it over or not; a file that tells nothing remembers none."""
    try:
        return Process(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_whole(file: Path, content: str) -> None:
    """Write a file that whoever reads it finds whole, even when the machine is switched off meanwhile."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.write_text(content, encoding="utf-8")
    unfinished.replace(file)


def start(argv: Sequence[str], *, env: Mapping[str, str], log: Path, directory: Path) -> Process:
    """Start a process in a session of its own, so that it survives this one; its output goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Popen would warn about a child that nobody waits for; is_running() reaps it.
    child.returncode = 0
    return Process(child.pid, start_time(child.pid) or "")


def start_time(pid: int) -> str | None:
    """Return when process `pid` started, as an opaque string; None when there is no such process or it is a zombie."""
    if platform.system() == "Linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return None
        # A killed leader is a zombie while its other threads still end, and with them its open ports.
        is_over = fields[0] == "Z" and int(fields[17]) <= 1
        return None if is_over else fields[19]
    found = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, born = found.stdout.strip().partition(" ")
    return None if found.returncode or state.startswith("Z") else born.strip()
