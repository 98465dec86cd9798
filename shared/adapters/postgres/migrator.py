"""Brings the schema of a database to a revision, by its owner."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.adapters.postgres.addresses import DatabaseAddress

SCHEMA: Final = "tessera"
LATEST: Final = "head"
NOTHING: Final = "base"

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 7_264_581_100_000_001
"""Any number that nobody else locks: two who migrate at the same time go one after the other."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What was done: the revision before and after; None stands for an empty database."""

    before: str | None
    after: str | None


async def migrate(address: DatabaseAddress, to: str = LATEST, *, password: str | None = None) -> Migration:
    """Run every step between the present revision and `to`, all in one transaction.

    `address` names the owner of the tables and the server itself, no pooler. Raises: what the driver raises, and
    alembic.util.CommandError for a revision that does not exist; nothing was changed then.
    """
    url = URL.create(
        "postgresql+asyncpg", address.user, password or address.password, address.host, address.port, address.database
    )
    arguments: dict[str, Any] = {"ssl": address.tls_context() or False, "timeout": 30}
    engine = create_async_engine(url, poolclass=NullPool, connect_args=arguments)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_migrate, to)
    finally:
        await engine.dispose()


def _migrate(connection: Connection, to: str) -> Migration:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    before = _revision(connection)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if to == NOTHING or (before is not None and to != LATEST and to < before):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)
    return Migration(before, _revision(connection))


def _revision(connection: Connection) -> str | None:
    options = {"version_table": "migrations", "version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()
