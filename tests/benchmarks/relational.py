"""What a transaction of one tenant costs beside the bare driver: the setting, the policy, the way into the own loop."""

import asyncio
import statistics
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import asyncpg

from shared.adapters.postgres.audit_read_model import PostgresAuditReadModel
from shared.adapters.postgres.database import Database, Transaction
from shared.audit.read_model import AuditFilter
from shared.kernel.ids import TenantId
from tests.ambient import looking_on
from tests.audit.samples import events
from tests.benchmarks.table import Table, in_turn, median_ratio
from tests.postgres.logs import SealedLogs, projection
from tests.postgres.servers import TestDatabase, migrated_database, server_of_the_wheel

ROWS: Final = 5_000
TENANTS: Final = 4
PAGE: Final = 20
ROUNDS: Final = 300

QUERY: Final = (
    "SELECT seq, at, event_id, actor, operation, resource, kind, outcome FROM tessera.audit_events"
    " WHERE tenant = $1 ORDER BY seq DESC LIMIT $2"
)


def run() -> Table:
    with looking_on():
        return _run_all()


def _run_all() -> Table:
    address = migrated_database(server_of_the_wheel())
    tenants = [TenantId(f"tenant-{number}") for number in range(TENANTS)]
    database = Database(address.app)
    asyncio.run(_fill(database, tenants))
    loop = asyncio.new_event_loop()
    bare = loop.run_until_complete(_bare(address))
    tenant = tenants[1]

    async def ours() -> None:
        async def work(transaction: Transaction) -> list[asyncpg.Record]:
            found: list[asyncpg.Record] = await transaction.fetch(QUERY, tenant, PAGE)
            return found

        assert len(await database.tenant_transaction(tenant, work)) == PAGE

    async def raw() -> None:
        async with bare.transaction():
            assert len(await bare.fetch(QUERY, tenant, PAGE)) == PAGE

    async def page() -> None:
        assert len(await PostgresAuditReadModel(database).newest(tenant, AuditFilter(), PAGE)) == PAGE

    rows = []
    for title, mine in (("the same query in a transaction of one tenant", ours), ("a page of the audit log", page)):
        taken, beside = in_turn(partial(_run, loop, mine), partial(_run, loop, raw), ROUNDS)
        rows.append(
            (
                title, f"{median_ratio(taken, beside):.2f}", f"{statistics.median(taken) * 1000:.2f} ms",
                f"{statistics.median(beside) * 1000:.2f} ms",
                f"{(statistics.median(taken) - statistics.median(beside)) * 1000:.2f} ms",
            )
        )  # fmt: skip
    loop.run_until_complete(bare.close())
    database.close()
    loop.close()
    return Table(
        "Transactions of one tenant",
        f"The newest {PAGE} of {ROWS:,} audit events of one of {TENANTS} tenants, PostgreSQL 18 on loopback. Beside: "
        "the bare driver in a plain transaction as the superuser, whom no policy holds, statements prepared once. Ours "
        "prepares each time, for a pooler may give every transaction another connection. Medians of "
        f"{ROUNDS}, in turn.",
        ("what", "ours ÷ bare driver", "ours", "bare driver", "difference"),
        rows,
    )


def _run(loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop.run_until_complete(work())


async def _fill(database: Database, tenants: list[TenantId]) -> None:
    logs = SealedLogs()
    for tenant in tenants:
        logs.seal(tenant, events(ROWS, tenant))
        await projection(logs, database).catch_up(tenant)


async def _bare(address: TestDatabase) -> asyncpg.Connection:
    return await asyncpg.connect(address.superuser)
