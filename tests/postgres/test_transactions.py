"""Transactions of one tenant: what they promise beside isolation, and how they fail."""

import asyncio
import time
from pathlib import Path

import asyncpg
import pytest

from localstack import postgres_server
from shared.adapters.postgres.database import Database, Transaction, opening_of
from shared.kernel.databases import DatabaseBusyError, DatabaseUnavailableError
from shared.kernel.ids import TenantId
from shared.kernel.tenants import admitted
from tests.nobody import NOBODY
from tests.postgres.servers import SETTINGS, TestDatabase, run

pytestmark = pytest.mark.real_server

ACME = TenantId("acme")
TENANT = "SELECT current_setting('tessera.tenant', true)"
PATIENCE_S = 60.0
"""How long a busy machine may take over what is not to be ended."""


async def tenant_of(transaction: Transaction) -> str | None:
    found: str | None = await transaction.fetchval(TENANT)
    return found


@pytest.mark.parametrize("name", ["acme", "", "a'; DROP TABLE x; --", "\\", "日本", "$$", "a\nb"])
async def test_tenant_is_set_whatever_its_name(database: Database, name: str) -> None:
    assert await database.tenant_transaction(TenantId(name), tenant_of) == name


async def test_beginning_takes_one_round_trip() -> None:
    assert opening_of(admitted(ACME), 5, 8).count(";") == 4


async def test_nothing_stays_on_the_connection(database: Database) -> None:
    for name in ("acme", "globex"):
        await database.tenant_transaction(TenantId(name), tenant_of)

    async def left_over() -> tuple[str | None, str]:
        async with database._connections.borrowed("BEGIN") as connection:
            found = await connection.fetchval(TENANT), await connection.fetchval("SHOW statement_timeout")
            await connection.execute("ROLLBACK")
        return found

    assert await database._loop.run(left_over()) == ("", "0")


async def test_every_loop_uses_the_same_connection(database: Database) -> None:
    async def process_of_the_server(transaction: Transaction) -> int:
        found: int = await transaction.fetchval("SELECT pg_backend_pid()")
        return found

    def in_a_loop_of_its_own() -> int:
        return asyncio.run(database.tenant_transaction(ACME, process_of_the_server))

    assert len({await asyncio.to_thread(in_a_loop_of_its_own) for _ in range(3)}) == 1
    assert len(database._connections._idle) == 1


async def test_statement_that_takes_too_long_is_ended(address: TestDatabase) -> None:
    database = Database(address.app, statement_timeout_s=0.1)
    started = time.monotonic()

    with pytest.raises(DatabaseBusyError) as caught:
        await database.tenant_transaction(ACME, lambda transaction: transaction.execute("SELECT pg_sleep(60)"))

    assert time.monotonic() - started < 30
    assert caught.value.retry_after_s > 0
    database._statement_timeout_s = PATIENCE_S
    assert await database.tenant_transaction(ACME, tenant_of) == ACME
    database.close()


async def test_transaction_that_dawdles_is_ended(address: TestDatabase) -> None:
    database = Database(address.app, transaction_timeout_s=0.2)

    with pytest.raises(DatabaseBusyError):
        await database.tenant_transaction(ACME, lambda _: asyncio.sleep(1))

    database._transaction_timeout_s = PATIENCE_S
    assert await database.tenant_transaction(ACME, tenant_of) == ACME
    database.close()


async def test_who_waits_for_a_connection_waits_no_longer_than_for_the_whole(address: TestDatabase) -> None:
    database = Database(address.app, largest=1, transaction_timeout_s=0.3)
    holding = asyncio.create_task(database.tenant_transaction(ACME, lambda _: asyncio.sleep(1)))
    await asyncio.sleep(0.05)

    results = await asyncio.gather(
        holding, *(database.tenant_transaction(ACME, tenant_of) for _ in range(3)), return_exceptions=True
    )

    assert isinstance(results[0], DatabaseBusyError)
    assert all(one == ACME or isinstance(one, DatabaseBusyError) for one in results[1:])
    database.close()


async def test_connection_that_the_server_closed_meanwhile_is_replaced_unnoticed(
    address: TestDatabase, database: Database
) -> None:
    for _ in range(3):
        await database.tenant_transaction(ACME, tenant_of)
        await asyncio.to_thread(
            run,
            address.superuser,
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
            " WHERE usename = 'tessera_app' AND datname = current_database()",
        )
        # Behind a pooler the loss shows on the pooler's side, which opens another by itself.
        assert await database.tenant_transaction(ACME, tenant_of) == ACME


async def test_cancelled_query_stops_on_the_server(address: TestDatabase) -> None:
    database = Database(address.app, statement_timeout_s=60, transaction_timeout_s=60)
    asking = asyncio.create_task(
        database.tenant_transaction(ACME, lambda transaction: transaction.execute("SELECT pg_sleep(60) -- cancelled"))
    )
    await asyncio.sleep(0.2)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    observer = await asyncpg.connect(address.superuser)
    query = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%-- cancelled'"
    started = time.monotonic()
    while await observer.fetchval(query):
        assert time.monotonic() - started < 30, "the server works on for nobody"
        await asyncio.sleep(0.05)
    await observer.close()
    database.close()


async def test_failure_of_the_work_comes_out_as_it_is(database: Database) -> None:
    async def fails(transaction: Transaction) -> None:
        await transaction.execute("SELECT 1")
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await database.tenant_transaction(ACME, fails)
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.tenant_transaction(ACME, lambda transaction: transaction.execute("SELECT * FROM nowhere"))
    with pytest.raises(asyncpg.DataError, match="expected str"):
        await database.tenant_transaction(ACME, lambda transaction: transaction.fetchval("SELECT $1::text", 5))


async def test_server_that_lets_nobody_in_is_told_as_out_of_reach(address: TestDatabase) -> None:
    """As Aurora answers a token of IAM that it does not take."""
    database = Database(address.app.replace("//tessera_app", "//tessera_nobody"))

    with pytest.raises(DatabaseUnavailableError):
        await database.tenant_transaction(ACME, tenant_of)

    database.close()


async def test_server_out_of_reach_is_told_with_when_to_try_again() -> None:
    database = Database(f"postgresql://tessera_app@{NOBODY}/tessera")

    with pytest.raises(DatabaseUnavailableError) as caught:
        await database.tenant_transaction(ACME, tenant_of)

    assert caught.value.retry_after_s > 0


async def test_server_that_went_away_comes_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("comes-and-goes")
    server = postgres_server.start(folder, settings=SETTINGS)
    database = Database(server.address("tessera_owner"))
    try:
        assert await database.tenant_transaction(ACME, tenant_of) == ACME
        server.stop()
        with pytest.raises(DatabaseUnavailableError):
            await database.tenant_transaction(ACME, tenant_of)
        postgres_server.start(folder, settings=SETTINGS)
        assert await database.tenant_transaction(ACME, tenant_of) == ACME
    finally:
        database.close()
        postgres_server.stop(folder)


async def test_missing_tables_are_not_mistaken_for_an_outage(empty_database: TestDatabase) -> None:
    database = Database(empty_database.app)

    with pytest.raises(asyncpg.UndefinedTableError):
        await database.tenant_transaction(ACME, lambda one: one.execute("SELECT * FROM tessera.audit_events"))
    database.close()
