"""Real PostgreSQL servers of a test process's own, and PgBouncer in front of them: on free ports, nothing kept."""

import asyncio
import atexit
import os
import secrets
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import asyncpg
import pytest

from localstack import postgres_server
from localstack.local_server import LocalServer
from localstack.ports import HOST, free_ports
from localstack.postgres_server import APP, OWNER, SUPERUSER, Server
from shared.adapters.postgres.addresses import read_address
from shared.adapters.postgres.migrator import migrate
from tests.own_folders import own_folder, own_server

SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=200", "shared_buffers=32MB")
"""What a test writes needs no disk."""

SYSTEM = Path("/usr/lib/postgresql")
POOL_SIZE = 2


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A database of its own on some server: URLs of the functions' user, of the owner and of the superuser.

    `app` may lead through a pooler; the others never do.
    """

    __test__ = False

    app: str
    owner: str
    superuser: str


@dataclass(frozen=True, slots=True)
class PgBouncer(LocalServer):
    """A running pooler."""

    TITLE: ClassVar[str] = "PgBouncer"
    FILES: ClassVar[str] = "pgbouncer"
    START_TIMEOUT_S: ClassVar[float] = 20.0
    END_WITH: ClassVar[signal.Signals] = signal.SIGINT
    GRACE_S: ClassVar[float] = 5.0

    def is_ready(self, said: str) -> bool:
        return f"listening on {HOST}:{self.port}" in said


@cache
def server_of_the_wheel() -> Server:
    """PostgreSQL 18, as in the local cloud: one for the whole process."""
    return _server(None)


@cache
def server_of_the_system() -> Server:
    """What the system packages: PostgreSQL 15 on Debian 12."""
    return _server(sorted(SYSTEM.glob("*/bin"))[-1])


def require_system_servers() -> None:
    """Skip the test without PostgreSQL and PgBouncer; on CI, where both must be, the test goes on and fails."""
    missing = shutil.which("pgbouncer") is None or not list(SYSTEM.glob("*/bin/postgres"))
    if missing and os.environ.get("CI") != "true":
        pytest.skip("needs PostgreSQL and PgBouncer (Debian, Ubuntu: apt-get install postgresql pgbouncer)")


def _server(programs: Path | None) -> Server:
    kept = ExitStack()
    atexit.register(kept.close)
    return kept.enter_context(
        own_server("postgres", lambda folder: postgres_server.start(folder, programs, settings=SETTINGS))
    )


def new_database(server: Server) -> TestDatabase:
    """Make an empty database that the tables' owner owns."""
    name = f"test_{secrets.token_hex(6)}"
    run(server.address(SUPERUSER), f"CREATE DATABASE {name} OWNER {OWNER}")
    return TestDatabase(*(_in(server.address(user), name) for user in (APP, OWNER, SUPERUSER)))


def migrated_database(server: Server) -> TestDatabase:
    """Make a database with the newest tables."""
    made = new_database(server)
    asyncio.run(migrate(read_address(made.owner)))
    return made


def run(address: str, *statements: str) -> None:
    """Execute statements one by one, each in a transaction of its own."""

    async def execute() -> None:
        connection = await asyncpg.connect(address)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())


@contextmanager
def pooled(database: TestDatabase, pool_size: int = POOL_SIZE) -> Iterator[TestDatabase]:
    """Put PgBouncer in transaction mode between the functions' user and `database`, with few server connections."""
    server, name = urlsplit(database.app), urlsplit(database.app).path[1:]

    def command(port: int) -> list[str]:
        settings.write_text(
            f"[databases]\n{name} = host={server.hostname} port={server.port}\n[pgbouncer]\n"
            f"listen_addr = {HOST}\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {users}\n"
            f"pool_mode = transaction\ndefault_pool_size = {pool_size}\nmax_client_conn = 200\n"
            "query_wait_timeout = 5\nserver_login_retry = 1\n",
            encoding="utf-8",
        )
        return [*postgres_server.as_ordinary_user(), "pgbouncer", str(settings)]

    with own_folder("pgbouncer") as folder:
        users, settings = folder / "users.txt", folder / "pgbouncer.ini"
        users.write_text("".join(f'"{user}" ""\n' for user in (APP, OWNER, SUPERUSER)), encoding="utf-8")
        pooler = PgBouncer.launch(folder, free_ports(), command)
        try:
            yield replace(database, app=database.app.replace(f":{server.port}/", f":{pooler.port}/"))
        finally:
            if not pooler.process.is_running():
                raise RuntimeError(pooler.log_in(folder).read_text(encoding="utf-8"))
            pooler.stop()


def _in(address: str, name: str) -> str:
    return address.rpartition("/")[0] + "/" + name
