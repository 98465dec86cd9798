"""The local cloud's PostgreSQL: what it holds outlives it, and two do not meet."""

import asyncio
import os
import signal
import socket
import subprocess
import time

import asyncpg
import pytest

from localstack import postgres_server, process
from localstack.ports import HOST
from localstack.postgres_server import OWNER
from tests.kept_ports import kept_port

pytestmark = pytest.mark.real_server


def ask(server, *statements):
    async def execute():
        connection = await asyncpg.connect(server.address(OWNER))
        try:
            return [await connection.fetchval(statement) for statement in statements]
        finally:
            await connection.close()

    return asyncio.run(execute())


def kill(server):
    os.kill(server.process.pid, signal.SIGKILL)
    while server.process.is_running():
        time.sleep(0.01)


@pytest.fixture
def folder(tmp_path):
    """A folder whose server had a port last time that nobody else is given."""
    (tmp_path / "postgres").mkdir()
    with kept_port() as port:
        (tmp_path / "postgres" / "server.port").write_text(str(port))
        yield tmp_path / "postgres"
    postgres_server.stop(tmp_path / "postgres")


def test_what_it_holds_is_there_again_on_the_same_port(folder):
    first = postgres_server.start(folder)
    ask(first, "CREATE TABLE kept (number int)", "INSERT INTO kept VALUES (7)")

    assert postgres_server.start(folder) == first
    assert [postgres_server.stop(folder), postgres_server.stop(folder)] == [True, False]
    again = postgres_server.start(folder)

    assert again.port == first.port
    assert ask(again, "SELECT number FROM kept") == [7]


def test_port_that_somebody_took_meanwhile_is_left_to_them(folder):
    port = postgres_server.start(folder).port
    postgres_server.stop(folder)

    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((HOST, port))
        taken.listen()
        again = postgres_server.start(folder)

    assert again.port != port
    assert ask(again, "SELECT 1") == [1]


def test_what_was_committed_survives_a_sudden_end(folder):
    first = postgres_server.start(folder)
    ask(first, "CREATE TABLE kept (number int)", "INSERT INTO kept VALUES (7)")
    kill(first)

    again = postgres_server.start(folder)

    assert again.port == first.port
    assert ask(again, "SELECT number FROM kept") == [7]


def test_queries_of_a_killed_server_are_waited_for(folder):
    first = postgres_server.start(folder)

    async def kill_meanwhile():
        connection = await asyncpg.connect(first.address(OWNER))
        busy = asyncio.create_task(connection.fetchval("SELECT count(*) FROM generate_series(1, 10000000)"))
        await asyncio.sleep(0.3)
        kill(first)
        again = await asyncio.to_thread(postgres_server.start, folder)
        await asyncio.wait([busy])
        busy.exception()
        return again

    again = asyncio.run(kill_meanwhile())

    assert ask(again, "SELECT 1") == [1]


def test_number_that_another_process_has_after_a_restart_is_no_obstacle(folder):
    """PostgreSQL's own lock file names a number alone, and believes in any process of this user that has it."""
    first = postgres_server.start(folder)
    kill(first)
    argv = [*postgres_server.as_ordinary_user(), "sleep", "60"]
    with subprocess.Popen(argv, start_new_session=True) as other:
        try:
            lock = folder / "data" / "postmaster.pid"
            lock.write_text(lock.read_text().replace(str(first.process.pid), str(other.pid), 1))
            process.Process(other.pid, first.process.born).save(folder / "server.json")

            again = postgres_server.start(folder)

            assert ask(again, "SELECT 1") == [1]
            assert other.poll() is None
        finally:
            other.kill()


def test_half_made_folder_is_made_again(folder):
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("18\n")

    assert ask(postgres_server.start(folder), "SELECT current_user::text") == [OWNER]


def test_owner_is_nobody_special(folder):
    rights = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"

    assert ask(postgres_server.start(folder), rights) == [False]
