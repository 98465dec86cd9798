"""The few connections of one process: opened when needed, lent to one transaction at a time, thrown away when in doubt.

Nothing that lives in a session is relied on or left behind, so a pooler may give each transaction another server
connection (PgBouncer and RDS Proxy in transaction mode).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import asyncpg

from shared.adapters.postgres.addresses import DatabaseAddress
from shared.adapters.postgres.failures import LOST

T = TypeVar("T")

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

    @asynccontextmanager
    async def borrowed(self, opening: str) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection on which the statements `opening` were executed; who is done has ended its transaction.

        A connection that was idle may have been closed since by the server: nothing was asked of it yet, so another
        takes its place. One on which anything failed is thrown away, and what it had begun with it: what state a driver
        and a pooler are in after a failure is nothing to rely on. Raises: what the driver raises.
        """
        async with self._free:
            connection = await self._opened(opening)
            try:
                yield connection
            except BaseException:
                connection.terminate()
                raise
            if connection.is_in_transaction():
                connection.terminate()
            elif not connection.is_closed():
                self._idle.append(connection)

    async def close(self) -> None:
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.close(timeout=FAREWELL_TIMEOUT_S)
            except (*LOST, asyncpg.PostgresError, TimeoutError):
                connection.terminate()

    async def _opened(self, opening: str) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_closed():
                continue
            try:
                await undisturbed(connection, connection.execute(opening))
            except LOST as error:
                _log.info("an idle connection was closed", exc_info=error)
                connection.terminate()
            except BaseException:
                connection.terminate()
                raise
            else:
                return connection
        connection = await self._connect()
        try:
            await undisturbed(connection, connection.execute(opening))
        except BaseException:
            connection.terminate()
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


async def undisturbed(connection: asyncpg.Connection, work: Coroutine[Any, Any, T]) -> T:
    """Do `work` on `connection`; who is cancelled meanwhile cuts the connection, and the work ends by that.

    Left to itself the driver would ask the server, on another connection, to cancel what runs on this one. A pooler may
    have given that server connection to somebody else by then, and some do not survive the question (PgBouncer 1.18).
    A server whose client is gone stops by itself: `client_connection_check_interval`.
    """
    doing = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        connection.terminate()
        await asyncio.wait({doing})
        doing.exception()  # that the connection is lost is no news
        raise
