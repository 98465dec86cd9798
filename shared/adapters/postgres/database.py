"""Transactions of one tenant, or of nobody: there is no way to the tables without saying whose rows are meant.

Row-level security compares every row with the setting `tessera.tenant`. It is set for one transaction only, in the same
round trip that begins it, so a connection that comes back to the pool knows no tenant (decision 0025).
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, TypeVar

import asyncpg

from shared.adapters.postgres.addresses import read_address
from shared.adapters.postgres.connections import CONNECT_TIMEOUT_S, LARGEST, Connections, undisturbed
from shared.adapters.postgres.failures import told_to_callers
from shared.adapters.postgres.iam_tokens import iam_tokens
from shared.adapters.postgres.own_loop import OwnLoop
from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant, admitted

T = TypeVar("T")

Transaction: TypeAlias = asyncpg.Connection
"""What a transaction's work is given; it commits when the work returns, and rolls back when it raises."""

TENANT_SETTING: Final = "tessera.tenant"

STATEMENT_TIMEOUT_S: Final = 5.0
TRANSACTION_TIMEOUT_S: Final = 8.0
"""From the wish for a connection to the commit, so that API Gateway's patience is never tried."""


class Database:
    """The database at an address, as seen by one process. Nothing is opened before the first transaction."""

    def __init__(
        self,
        address: str,
        *,
        largest: int = LARGEST,
        statement_timeout_s: float = STATEMENT_TIMEOUT_S,
        transaction_timeout_s: float = TRANSACTION_TIMEOUT_S,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self._statement_timeout_s = statement_timeout_s
        self._transaction_timeout_s = transaction_timeout_s
        where = read_address(address)
        password = iam_tokens(where) if where.signs_in_by_iam else None
        self._connections = Connections(where, password, largest, connect_timeout_s)
        self._loop = OwnLoop()
        # Nobody closes a function's database; it goes with the process, or with the function in tests.
        self._closing = weakref.finalize(self, self._loop.close, self._connections.close)

    async def tenant_transaction(self, tenant: TenantId, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do `work` in one transaction that sees and writes the rows of `tenant` alone; return what it returns.

        Who is cancelled meanwhile leaves nothing behind. Raises: TenantContextError unless the invocation works for
        `tenant`, DatabaseBusyError when it takes too long, DatabaseUnavailableError; and whatever `work` raises.
        """
        own = admitted(tenant)
        with told_to_callers():
            return await self._loop.run(self._transaction(own, work))

    async def transaction_of_nobody(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do `work` that concerns no rows, in one transaction that sees none and writes none.

        Raises: as above, but for the context, which is not asked.
        """
        with told_to_callers():
            return await self._loop.run(self._transaction(None, work))

    def close(self) -> None:
        """Close every connection, and end the thread that they live in."""
        self._loop.close(self._connections.close)

    async def _transaction(self, tenant: AdmittedTenant | None, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async with asyncio.timeout(self._transaction_timeout_s):
            lent = self._connections.borrowed(
                opening_of(tenant, self._statement_timeout_s, self._transaction_timeout_s)
            )
            async with lent as connection:
                return await undisturbed(connection, _committed(connection, work))


async def _committed(connection: Transaction, work: Callable[[Transaction], Awaitable[T]]) -> T:
    result = await work(connection)
    said = await connection.execute("COMMIT")
    if said != "COMMIT":
        raise asyncpg.InFailedSQLTransactionError("A failure inside was swallowed; nothing was committed.")
    return result


def opening_of(tenant: AdmittedTenant | None, statement_timeout_s: float, transaction_timeout_s: float) -> str:
    """Return the statements that begin a transaction of `tenant`, or of nobody, for one round trip.

    The name travels as hexadecimal digits, among which nothing can end a literal.
    """
    name = "" if tenant is None else tenant.encode().hex()
    return (
        f"BEGIN; SET LOCAL statement_timeout = {int(statement_timeout_s * 1000)};"
        f" SET LOCAL idle_in_transaction_session_timeout = {int(transaction_timeout_s * 1000)};"
        " SET LOCAL client_connection_check_interval = 500;"
        f" SELECT set_config('{TENANT_SETTING}', convert_from(decode('{name}', 'hex'), 'UTF8'), true)"
    )
