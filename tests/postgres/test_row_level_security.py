"""No tenant ever meets another's rows, whatever goes wrong on the connections that they share (T5, measure 1)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import asyncpg
import pytest
from hypothesis.errors import Flaky, FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

from shared.adapters.postgres import database as database_module
from shared.adapters.postgres.connections import Connections
from shared.adapters.postgres.database import opening_of
from tests.postgres.interleaving import READ, SEARCHING, TENANTS, THOROUGH, WRITE, Interleaving
from tests.postgres.servers import TestDatabase, run

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

TABLE = "tessera.audit_events"
UNSET = "coalesce(current_setting('tessera.tenant', true), '') = ''"


def machine_on(address: TestDatabase, user: str = "tessera_app") -> type[Interleaving]:
    return type("Interleaving", (Interleaving,), {"address": address, "user": user, "TestCase": None})


def test_tenants_who_share_connections_see_their_own_rows_alone(address: TestDatabase) -> None:
    run_state_machine_as_test(machine_on(address), settings=THOROUGH)


@contextmanager
def planted(address: TestDatabase, mistake: str, repair: str) -> Iterator[None]:
    run(address.superuser, mistake)
    try:
        yield
    finally:
        run(address.superuser, repair)


def is_found(machine: type[Interleaving]) -> None:
    with pytest.raises((AssertionError, Flaky, FlakyFailure, asyncpg.PostgresError)):
        run_state_machine_as_test(machine, settings=SEARCHING)


def test_setting_that_outlives_its_transaction_is_found(address: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    def for_the_session(*arguments: object) -> str:
        return opening_of(*arguments).replace(", true)", ", false)")  # type: ignore[arg-type]

    monkeypatch.setattr(database_module, "opening_of", for_the_session)

    is_found(machine_on(address))


@pytest.mark.parametrize(
    ("mistake", "repair"),
    [
        (f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY", f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY"),
        (
            f"CREATE POLICY careless ON {TABLE} USING (current_setting('tessera.tenant', true) IS NULL)",
            f"DROP POLICY careless ON {TABLE}",
        ),
        (
            f"CREATE POLICY careless ON {TABLE} FOR SELECT USING ({UNSET})",
            f"DROP POLICY careless ON {TABLE}",
        ),
        (f"CREATE POLICY careless ON {TABLE} FOR INSERT WITH CHECK (true)", f"DROP POLICY careless ON {TABLE}"),
        ("ALTER ROLE tessera_app BYPASSRLS", "ALTER ROLE tessera_app NOBYPASSRLS"),
    ],
)
def test_hole_in_the_policy_is_found(address: TestDatabase, mistake: str, repair: str) -> None:
    with planted(address, mistake, repair):
        is_found(machine_on(address))


def test_functions_that_sign_in_as_the_superuser_are_found(address: TestDatabase) -> None:
    is_found(machine_on(replace(address, app=address.superuser), user="postgres"))


def test_owner_is_held_by_the_policy_and_found_where_it_is_not(address: TestDatabase) -> None:
    async def seen_by_the_owner() -> int:
        connection = await asyncpg.connect(address.owner)
        found = await connection.fetch(READ)
        await connection.close()
        return len(found)

    run(address.superuser, f"TRUNCATE {TABLE}", WRITE.replace("$1", f"'{TENANTS[0]}'").replace("$2", "1"))
    assert asyncio.run(seen_by_the_owner()) == 0

    with planted(
        address, f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY", f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY"
    ):
        is_found(machine_on(replace(address, app=address.owner), user="tessera_owner"))


def test_connection_that_is_lent_again_in_the_middle_of_something_is_found(
    address: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def borrowed(self: Connections, opening: str) -> AsyncIterator[asyncpg.Connection]:
        async with self._free:
            connection = await self._opened(opening)
            try:
                yield connection
            finally:
                self._idle.append(connection)

    monkeypatch.setattr(Connections, "borrowed", borrowed)

    is_found(machine_on(address))
