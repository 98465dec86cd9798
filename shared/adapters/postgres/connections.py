"""The few connections of one process: opened when needed, lent to one transaction at a time, thrown away when in doubt.

Nothing that lives in a session is relied on or left behind, so a pooler may give each transaction another server
connection (PgBouncer and RDS Proxy in transaction mode).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from shared.adapters.postgres.addresses import DatabaseAddress

LARGEST: Final = 4
"""Connections of one process; a function serves one request at a time, a process of the tests several."""
CONNECT_TIMEOUT_S: Final = 5.0
FAREWELL_TIMEOUT_S: Final = 1.0

_log = logging.getLogger("tessera.database")


class Connections:
    """Lends connections to one database. Belongs to the event loop that first uses it.

    `password` is asked at every connect. Waiting for a connection is bounded by who waits.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        password: Callable[[], str] | None = None,
        largest: int = LARGEST,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._address = address
        self._password = password
        self._idle: list[asyncpg.Connection] = []
        self._free = asyncio.Semaphore(largest)
        self._farewells: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def borrowed(self, opening: str) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection on which the statements `opening` were executed; it comes back with no transaction open.

        A connection that was idle may have been closed since by the server: nothing was asked of it yet, so another
        takes its place. One that ends in the middle of something is thrown away. Raises: what the driver raises.
        """
        async with self._free:
            connection = await self._opened(opening)
            try:
                yield connection
            finally:
                if connection.is_closed() or connection.is_in_transaction():
                    self._throw_away(connection)
                else:
                    self._idle.append(connection)

    async def close(self) -> None:
        for connection in self._idle:
            await connection.close(timeout=FAREWELL_TIMEOUT_S)
        self._idle.clear()
        await asyncio.gather(*self._farewells, return_exceptions=True)

    async def _opened(self, opening: str) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_closed():
                continue
            try:
                await connection.execute(opening)
            except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) as error:
                _log.info("an idle connection was closed", exc_info=error)
                self._throw_away(connection)
            except asyncpg.PostgresError as error:
                # Sent by a server or pooler that ends the session: it says why, then closes.
                self._throw_away(connection)
                if not _says_goodbye(error):
                    raise
            except BaseException:
                self._throw_away(connection)
                raise
            else:
                return connection
        connection = await self._connect()
        try:
            await connection.execute(opening)
        except BaseException:
            self._throw_away(connection)
            raise
        return connection

    async def _connect(self) -> asyncpg.Connection:
        address = self._address
        return await asyncpg.connect(
            host=address.host,
            port=address.port,
            database=address.database,
            user=address.user,
            password=self._password if self._password is not None else address.password,
            ssl=address.tls_context() or False,
            timeout=self._connect_timeout_s,
            # A prepared statement lives in a session, and the next transaction may meet another.
            statement_cache_size=0,
        )

    def _throw_away(self, connection: asyncpg.Connection) -> None:
        """Close behind the caller's back: a query that still runs is asked to stop first, for a second at most."""
        farewell = asyncio.get_running_loop().create_task(_part_from(connection))
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)


async def _part_from(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=FAREWELL_TIMEOUT_S)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        _log.info("a connection ended without a farewell", exc_info=error)
        connection.terminate()


def _says_goodbye(error: asyncpg.PostgresError) -> bool:
    return isinstance(error, asyncpg.AdminShutdownError | asyncpg.CrashShutdownError | asyncpg.IdleSessionTimeoutError)
