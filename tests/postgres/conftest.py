"""Each test runs on both: PostgreSQL 18 as in the local cloud, and PostgreSQL 15 behind PgBouncer."""

from collections.abc import Iterator

import pytest

from localstack.postgres_server import Server
from shared.adapters.postgres.database import Database
from tests.ambient import reaching_all
from tests.postgres.servers import (
    TestDatabase,
    migrated_database,
    new_database,
    pooled,
    require_system_servers,
    server_of_the_system,
    server_of_the_wheel,
)

BOTH = ("wheel", "pgbouncer")


@pytest.fixture(autouse=True, scope="package")
def _reaching_all() -> Iterator[None]:
    """These tests ask the database itself, for whatever tenants."""
    with reaching_all():
        yield


@pytest.fixture(params=BOTH, scope="module")
def where(request: pytest.FixtureRequest) -> str:
    """Which of the two a test runs on."""
    kind: str = request.param
    if kind == "pgbouncer":
        require_system_servers()
    return kind


@pytest.fixture(scope="module")
def server(where: str) -> Server:
    return server_of_the_wheel() if where == "wheel" else server_of_the_system()


@pytest.fixture
def empty_database(server: Server) -> TestDatabase:
    """A database without tables."""
    return new_database(server)


@pytest.fixture(scope="module")
def address(where: str, server: Server) -> Iterator[TestDatabase]:
    """A migrated database of the module's own, reached as functions reach it."""
    made = migrated_database(server)
    if where == "wheel":
        yield made
        return
    with pooled(made) as behind:
        yield behind


@pytest.fixture
def database(address: TestDatabase) -> Iterator[Database]:
    """The module's database, as one process sees it."""
    opened = Database(address.app, statement_timeout_s=2, transaction_timeout_s=4)
    yield opened
    opened.close()
