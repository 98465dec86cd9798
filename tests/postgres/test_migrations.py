"""The tables come and go, twice, and what they grant is what they should."""

import asyncio
from typing import Any

import asyncpg
import pytest

from shared.adapters.postgres.addresses import read_address
from shared.adapters.postgres.migrator import LATEST, NOTHING, Migration, migrate
from tests.postgres.servers import TestDatabase

pytestmark = pytest.mark.real_server

TABLES = "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'tessera'"


async def asked(address: str, query: str, *values: object) -> Any:
    connection = await asyncpg.connect(address)
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()


async def test_schema_goes_up_and_down_twice(empty_database: TestDatabase) -> None:
    owner = read_address(empty_database.owner)

    for _ in range(2):
        up = await migrate(owner, LATEST)
        assert up.before is None
        assert up.after is not None
        assert await migrate(owner, LATEST) == Migration(up.after, up.after)
        assert await migrate(owner, NOTHING) == Migration(up.after, None)
        assert await asked(empty_database.owner, TABLES + " AND relname LIKE 'audit%'") == 0


async def test_two_who_migrate_at_once_do_it_once(empty_database: TestDatabase) -> None:
    owner = read_address(empty_database.owner)

    done = await asyncio.gather(*(migrate(owner) for _ in range(3)))

    assert sorted(one.before or "" for one in done) == ["", done[0].after, done[0].after]


async def test_failing_step_changes_nothing(empty_database: TestDatabase) -> None:
    await asked(empty_database.owner, "SELECT 1 FROM (SELECT 1) AS nothing")
    connection = await asyncpg.connect(empty_database.owner)
    await connection.execute("CREATE SCHEMA tessera; CREATE TABLE tessera.audit_projection (in_the_way text)")
    await connection.close()

    with pytest.raises(Exception, match="audit_projection"):
        await migrate(read_address(empty_database.owner))

    assert await asked(empty_database.owner, "SELECT to_regclass('tessera.audit_events')::text") is None
    assert await asked(empty_database.owner, "SELECT to_regclass('tessera.migrations')::text") is None


async def test_functions_user_is_nobody_special(address: TestDatabase) -> None:
    special = "rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication"
    query = f"SELECT count(*) FROM pg_roles WHERE rolname = 'tessera_app' AND ({special})"  # noqa: S608

    assert await asked(address.superuser, query) == 0
    owned = "SELECT count(*) FROM pg_class JOIN pg_roles r ON r.oid = relowner WHERE rolname = 'tessera_app'"
    assert await asked(address.superuser, owned) == 0


async def test_every_table_with_a_tenant_is_held_by_forced_row_level_security(address: TestDatabase) -> None:
    """Partitions too: who reaches one directly meets no policy that lets anything through."""
    query = """
        SELECT string_agg(relname, ', ') FROM pg_class c
        JOIN pg_namespace n ON n.oid = relnamespace AND nspname = 'tessera'
        JOIN pg_attribute a ON a.attrelid = c.oid AND attname = 'tenant'
        WHERE relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)
    """

    assert await asked(address.superuser, query) is None


async def test_every_index_leads_with_the_tenant(address: TestDatabase) -> None:
    query = """
        SELECT string_agg(i.indexrelid::regclass::text, ', ') FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND attname = 'tenant'
        JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = relnamespace AND nspname = 'tessera'
        WHERE i.indkey[0] <> a.attnum
    """

    assert await asked(address.superuser, query) is None


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM tessera.audit_events",
        "UPDATE tessera.audit_events SET outcome = 'done'",
        "TRUNCATE tessera.audit_events",
        "DELETE FROM tessera.audit_projection",
        "ALTER TABLE tessera.audit_events DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON tessera.audit_events",
        "CREATE TABLE tessera.mine (x int)",
        "SET ROLE tessera_owner",
        "SELECT * FROM tessera.{month}",
        "SELECT * FROM tessera.migrations",
    ],
)
async def test_functions_user_may_only_add_to_the_log(address: TestDatabase, statement: str) -> None:
    month = await asked(address.superuser, "SELECT 'audit_events_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asked(address.app, statement.format(month=month))


async def test_months_are_made_once_and_not_for_ever(address: TestDatabase) -> None:
    make = "SELECT tessera.make_audit_month(now() + $1::int * interval '1 month')"

    assert [await asked(address.app, make, months) for months in (0, 7, 7)] == [False, True, False]
    assert sorted(await asyncio.gather(*(asked(address.app, make, 9) for _ in range(4)))) == [False] * 3 + [True]
    for months in (40, -200):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await asked(address.app, make, months)
