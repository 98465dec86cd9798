"""A state machine: several tenants at once over few connections, with errors, time-outs, cancellations and losses.

A model knows which rows each tenant has. What a transaction sees is always exactly that, and nothing when nobody is
named. Where a connection was lost under a write, the row may be there or not, but it is the writer's alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import partial

import asyncpg
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from shared.adapters.postgres.database import Database, Transaction
from shared.adapters.postgres.failures import LOST
from shared.kernel.databases import DatabaseBusyError, DatabaseUnavailableError
from shared.kernel.ids import TenantId
from tests.postgres.servers import TestDatabase, run

TENANTS = [TenantId(name) for name in ("acme", "globex", "initech")]
NOBODY = TenantId("")

WRITE = """
INSERT INTO tessera.audit_events (tenant, seq, at, event_id, actor, operation, resource, kind, outcome, request_id,
                                  step, line, hash)
VALUES ($1, $2, now(), '', '', '', '', '', '', '', 0, '', '')
"""
READ = "SELECT tenant, seq FROM tessera.audit_events"
LOSE = (
    "SELECT count(pg_terminate_backend(pid, 30000)) FROM pg_stat_activity"
    " WHERE usename = $1 AND datname = current_database()"
)
"""Returns when they have ended: whoever comes later is to meet what is left of them, and not their end itself."""

STATEMENT_TIMEOUT_S = 0.1
LONG_S = 0.3


class Deed(StrEnum):
    """What a tenant does in a transaction."""

    WRITE = "write"
    READ = "read"
    WRITE_AND_FAIL = "write and fail"
    WRITE_AND_SWALLOW = "write, fail in SQL and go on"
    WRITE_FOR_ANOTHER = "write a row for another"
    WRITE_TOO_LONG = "write and run into the time-out"
    WRITE_AND_BE_CANCELLED = "write and be cancelled"
    LOSE_CONNECTIONS = "have all connections cut"


class DeliberateError(Exception):
    """Raised by a transaction's work on purpose."""


class Interleaving(RuleBasedStateMachine):
    """One process with few connections; `address` is set by who runs it."""

    address: TestDatabase
    user: str = "tessera_app"

    def __init__(self) -> None:
        super().__init__()
        run(self.address.superuser, "TRUNCATE tessera.audit_events")
        self.database = Database(self.address.app, largest=2, statement_timeout_s=STATEMENT_TIMEOUT_S)
        self.rows: dict[TenantId, set[int]] = {tenant: set() for tenant in TENANTS}
        self.doubtful: dict[TenantId, set[int]] = {tenant: set() for tenant in TENANTS}
        self.count = 0

    def teardown(self) -> None:
        self.database.close()

    @rule(deeds=st.lists(st.tuples(st.sampled_from(TENANTS), st.sampled_from(Deed)), min_size=1, max_size=6))
    def at_once(self, deeds: list[tuple[TenantId, Deed]]) -> None:
        is_cut = any(deed is Deed.LOSE_CONNECTIONS for _, deed in deeds)
        asyncio.run(self._at_once(deeds, is_cut=is_cut))

    @rule()
    def look(self) -> None:
        asyncio.run(self._look())

    @rule()
    def come_first(self) -> None:
        """Somebody without a tenant is the first on a new connection, where nobody was ever named."""
        asyncio.run(self._come_first())

    async def _at_once(self, deeds: list[tuple[TenantId, Deed]], *, is_cut: bool) -> None:
        await asyncio.gather(*(self._do(tenant, deed, is_cut) for tenant, deed in deeds))
        await self._look()

    async def _do(self, tenant: TenantId, deed: Deed, is_cut: bool) -> None:
        self.count += 1
        number = self.count
        try:
            await self._perform(tenant, deed, number)
        except DatabaseUnavailableError as error:
            # On a busy machine any statement may run into its time-out; out of reach is only what was cut.
            if not (is_cut or isinstance(error, DatabaseBusyError)):
                raise AssertionError(f"{deed} found no database") from error
            if deed is Deed.WRITE:
                self.doubtful[tenant].add(number)
        else:
            if deed is Deed.WRITE:
                self.rows[tenant].add(number)

    async def _perform(self, tenant: TenantId, deed: Deed, number: int) -> None:
        match deed:
            case Deed.READ:
                await self._transact(tenant, self._sees_its_own(tenant))
            case Deed.LOSE_CONNECTIONS:
                await self._cut()
            case Deed.WRITE_AND_BE_CANCELLED:
                await self._cancel(tenant, number)
            case Deed.WRITE_FOR_ANOTHER:
                other = TENANTS[TENANTS.index(tenant) - 1]
                await self._fails(asyncpg.InsufficientPrivilegeError, tenant, self._writes(tenant, number, other))
            case Deed.WRITE_AND_FAIL:
                await self._fails(DeliberateError, tenant, self._writes(tenant, number, tenant, fails=True))
            case Deed.WRITE_AND_SWALLOW:
                await self._fails(asyncpg.InFailedSQLTransactionError, tenant, self._swallows(tenant, number))
            case Deed.WRITE_TOO_LONG:
                await self._transact(tenant, self._writes(tenant, number, tenant, lingers_s=LONG_S))
                raise AssertionError("The time-out did not come.")
            case Deed.WRITE:
                await self._transact(tenant, self._writes(tenant, number, tenant))

    async def _transact(self, tenant: TenantId, work: Callable[[Transaction], Awaitable[None]]) -> None:
        await self.database.tenant_transaction(tenant, work)

    async def _fails(
        self, failure: type[Exception], tenant: TenantId, work: Callable[[Transaction], Awaitable[None]]
    ) -> None:
        try:
            await self._transact(tenant, work)
        except failure:
            return
        raise AssertionError(f"{failure.__name__} did not come.")

    def _writes(
        self, tenant: TenantId, number: int, whose: TenantId, *, fails: bool = False, lingers_s: float = 0
    ) -> Callable[[Transaction], Awaitable[None]]:
        async def work(transaction: Transaction) -> None:
            await transaction.execute(WRITE, whose, number)
            found = {(row["tenant"], row["seq"]) for row in await transaction.fetch(READ)}
            assert (tenant, number) in found
            assert {owner for owner, _ in found} == {tenant}
            await transaction.execute("SELECT pg_sleep($1)", lingers_s)
            if fails:
                raise DeliberateError

        return work

    def _swallows(self, tenant: TenantId, number: int) -> Callable[[Transaction], Awaitable[None]]:
        async def work(transaction: Transaction) -> None:
            await transaction.execute(WRITE, tenant, number)
            try:
                await transaction.execute("SELECT 1 / 0")
            except asyncpg.DivisionByZeroError:
                return

        return work

    async def _cancel(self, tenant: TenantId, number: int) -> None:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def work(transaction: Transaction) -> None:
            await transaction.execute(WRITE, tenant, number)
            loop.call_soon_threadsafe(begun.set)
            await transaction.execute("SELECT pg_sleep($1)", LONG_S)

        task = asyncio.create_task(self._transact(tenant, work))
        waiting = asyncio.create_task(begun.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return
        raise AssertionError("A transaction that was cancelled came to its end.")

    async def _cut(self) -> None:
        await asyncio.sleep(0.005)
        connection = await asyncpg.connect(self.address.superuser)
        try:
            await connection.fetchval(LOSE, self.user)
        finally:
            await connection.close()

    async def _come_first(self) -> None:
        await self._cut()
        await self._patiently(self._stranger)

    async def _stranger(self) -> None:
        try:
            connection = await asyncpg.connect(self.address.app, statement_cache_size=0)
            try:
                await _sees_nothing(connection)
            finally:
                await connection.close(timeout=1)
        except LOST as error:
            raise DatabaseUnavailableError from error

    def _sees_its_own(self, tenant: TenantId) -> Callable[[Transaction], Awaitable[None]]:
        async def work(transaction: Transaction) -> None:
            assert {row["tenant"] for row in await transaction.fetch(READ)} <= {tenant}

        return work

    async def _look(self) -> None:
        """Everybody sees exactly what is theirs, and nobody sees nothing and writes nothing."""
        for tenant in TENANTS:
            found: set[tuple[str, int]] = set()

            async def work(transaction: Transaction, found: set[tuple[str, int]] = found) -> None:
                found.update((row["tenant"], row["seq"]) for row in await transaction.fetch(READ))

            await self._patiently(partial(self._transact, tenant, work))
            assert {owner for owner, _ in found} <= {tenant}
            numbers = {number for _, number in found}
            assert numbers - self.doubtful[tenant] == self.rows[tenant], tenant
            self.rows[tenant] = numbers
            self.doubtful[tenant] = set()
        for nobody in (self._without_a_tenant, partial(self._transact, NOBODY)):
            await self._patiently(partial(nobody, _sees_nothing))
            try:
                await self._patiently(partial(nobody, _writes_nothing))
            except asyncpg.InsufficientPrivilegeError:
                continue
            raise AssertionError("Somebody without a tenant could write.")

    async def _patiently(self, do: Callable[[], Awaitable[None]]) -> None:
        """Do it again when connections were cut just before: a pooler tells of its loss to whoever asks next."""
        for _ in range(5):
            try:
                return await do()
            except DatabaseUnavailableError:
                await asyncio.sleep(0.05)
        return await do()

    async def _without_a_tenant(self, work: Callable[[Transaction], Awaitable[None]]) -> None:
        """Transact on the same connections as everybody, as code would that forgot to say for whom."""

        async def transact() -> None:
            async with self.database._connections.borrowed("BEGIN") as connection:
                await work(connection)
                await connection.execute("ROLLBACK")

        try:
            await self.database._loop.run(transact())
        except LOST as error:
            raise DatabaseUnavailableError from error


async def _sees_nothing(transaction: Transaction) -> None:
    assert await transaction.fetch(READ) == []


async def _writes_nothing(transaction: Transaction) -> None:
    await transaction.execute(WRITE, TENANTS[0], 1_000_000)


THOROUGH = settings(
    max_examples=10,
    stateful_step_count=12,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SEARCHING = settings(THOROUGH, max_examples=40, phases=[Phase.generate], report_multiple_bugs=False)
"""For a mistake that is planted: it is enough that it is found."""
