"""What a chunk index says when its file or its server is not well."""

import asyncio
import json
import secrets
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import apsw
import pytest

from shared.adapters.opensearch.bulk import ChunkRefusedError, write_chunks
from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
from shared.adapters.opensearch.client import connect
from shared.adapters.opensearch.layout import IndexLayout
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.adapters.sqlite.database import Database
from shared.adapters.sqlite.schema import SHARED_TABLES
from shared.kernel.tenants import admitted
from shared.retrieval.ports import IndexUnavailableError
from tests.contract.chunks import ACME, DIMENSIONS, chunk, document, scope, unit_vector
from tests.nobody import NOBODY

ROOT = Path(__file__).resolve().parents[2]
HOME = scope()
LAYOUT = IndexLayout("failing", DIMENSIONS)

WRITER = """
import asyncio, sys
from pathlib import Path
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from tests.ambient import reaching_all
from tests.contract.chunks import ACME, chunk, scope

async def main(file, number):
    index = SqliteChunkIndex(Path(file))
    for generation in range(1, 6):
        chunks = [chunk(number, f"notice {part}", ordinal=part, generation=generation) for part in range(60)]
        await index.write(ACME, scope(), chunks)
        await index.write(ACME, scope(number), chunks)
        if generation > 1:
            await index.delete_document_generation(ACME, scope(), chunks[0].document_id, generation - 1)
    await index.delete_scope(ACME, scope(number))

with reaching_all():
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


class ScriptedNode:
    """Answers every request with the next of the answers it was given, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = [(200, {})]
        self.bodies: list[str] = []
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                node.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, answer = node.answers.pop(0) if len(node.answers) > 1 else node.answers[0]
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def node() -> Iterator[ScriptedNode]:
    scripted = ScriptedNode()
    thread = threading.Thread(target=scripted.server.serve_forever, daemon=True)
    thread.start()
    yield scripted
    scripted.server.shutdown()
    scripted.server.server_close()
    thread.join()


def item(status: int, name: str = "") -> dict[str, Any]:
    return {"index": {"_id": "x", "status": status, **({"error": {"type": name, "reason": "why"}} if name else {})}}


async def test_a_node_that_does_not_answer_is_unavailable() -> None:
    index = OpenSearchChunkIndex(connect(f"http://{NOBODY}"), LAYOUT)

    with pytest.raises(IndexUnavailableError, match="could not be reached"):
        await index.search_keyword(ACME, HOME, "notice", 5)
    with pytest.raises(IndexUnavailableError):
        await index.search_vector(ACME, HOME, unit_vector("q"), 5)
    with pytest.raises(IndexUnavailableError):
        await index.write(ACME, HOME, [chunk(1, "notice")])
    with pytest.raises(IndexUnavailableError):
        await index.delete_scope(ACME, HOME)
    index.close()


@pytest.mark.parametrize(("status", "told"), [(503, "overloaded"), (429, "overloaded"), (403, "signature")])
async def test_a_node_that_refuses_is_unavailable(node: ScriptedNode, status: int, told: str) -> None:
    node.answers = [(status, {"error": "no", "status": status})]
    index = OpenSearchChunkIndex(connect(node.address), LAYOUT)

    with pytest.raises(IndexUnavailableError, match=told):
        await index.search_keyword(ACME, HOME, "notice", 5)
    index.close()


def test_items_that_a_busy_node_left_out_are_sent_again(node: ScriptedNode) -> None:
    busy = {"errors": True, "items": [item(201), item(429, "rejected_execution_exception"), item(201)]}
    node.answers = [(200, busy), (200, {"errors": False, "items": [item(201)]})]
    client = connect(node.address)
    pauses: list[float] = []

    write_chunks(
        client, "alias", admitted(ACME), HOME, [chunk(number, f"n{number}") for number in range(3)], pauses.append
    )

    first, second = node.bodies
    assert first.count('"_id"') == 3
    assert second.count('"_id"') == 1
    assert document(1) in second
    assert len(pauses) == 1
    client.close()


def test_a_node_that_stays_busy_is_unavailable(node: ScriptedNode) -> None:
    node.answers = [(200, {"errors": True, "items": [item(429, "rejected_execution_exception")]})]
    client = connect(node.address)

    with pytest.raises(IndexUnavailableError, match="too busy for 1 chunks"):
        write_chunks(client, "alias", admitted(ACME), HOME, [chunk(1, "notice")], lambda _: None)
    assert len(node.bodies) == 4
    client.close()


def test_a_chunk_that_is_refused_says_why(node: ScriptedNode) -> None:
    node.answers = [(200, {"errors": True, "items": [item(400, "strict_dynamic_mapping_exception")]})]
    client = connect(node.address)

    with pytest.raises(ChunkRefusedError, match="strict_dynamic_mapping_exception: why"):
        write_chunks(client, "alias", admitted(ACME), HOME, [chunk(1, "notice")], lambda _: None)
    client.close()


@pytest.mark.real_server
async def test_an_index_that_was_removed_is_made_again(opensearch_address: str) -> None:
    client = connect(opensearch_address)
    layout = IndexLayout(f"removed-{secrets.token_hex(6)}", DIMENSIONS, replicas=0)
    index = OpenSearchChunkIndex(client, layout)
    await index.write(ACME, HOME, [chunk(1, "notice")])
    client.indices.delete(index=layout.physical_name)

    with pytest.raises(IndexUnavailableError, match="gone"):
        await index.write(ACME, HOME, [chunk(1, "notice")])
    await index.write(ACME, HOME, [chunk(1, "notice")])
    await index.refresh(ACME, HOME)

    assert len(await index.search_keyword(ACME, HOME, "notice", 5)) == 1
    client.indices.delete(index=layout.physical_name)
    client.close()


def test_large_batches_are_cut_by_size(node: ScriptedNode) -> None:
    node.answers = [(200, {"errors": False, "items": []})]
    client = connect(node.address)

    write_chunks(client, "alias", admitted(ACME), HOME, [chunk(number, "word " * 200_000) for number in range(4)])

    assert len(node.bodies) == 4
    client.close()


def test_a_writer_that_waited_in_vain_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "chunks.sqlite"
    index = SqliteChunkIndex(file)
    index.close()
    patient = Database(file, SHARED_TABLES)
    hasty = Database(file, SHARED_TABLES, busy_timeout_s=0.05)

    with patient.writing(), pytest.raises(IndexUnavailableError, match="BusyError"), hasty.writing():
        pass
    with hasty.writing() as connection:
        assert connection.execute("SELECT count(*) FROM chunks").get == 0
    patient.close()
    hasty.close()


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    index = SqliteChunkIndex(tmp_path / "folder")

    with pytest.raises(IndexUnavailableError, match="CantOpenError"):
        await index.search_keyword(ACME, HOME, "notice", 5)


async def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "chunks.sqlite", SHARED_TABLES)

    twice = "INSERT INTO scopes (id, tenant, kb_id, index_generation, dimensions) VALUES (1, 'a', 'b', 1, 3);"
    with pytest.raises(apsw.ConstraintError), database.writing() as connection:
        connection.execute(twice + twice)

    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM scopes").get == 0
    database.close()


async def test_processes_write_one_file_together(tmp_path: Path) -> None:
    file = tmp_path / "chunks.sqlite"

    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(file), str(number), cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        for number in range(2, 6)
    ]
    failures = [(await writer.communicate())[1].decode() for writer in writers]

    assert failures == [""] * 4
    assert [writer.returncode for writer in writers] == [0] * 4
    index = SqliteChunkIndex(file)
    for number in range(2, 6):
        found = await index.read_back(ACME, HOME, document(number), 5, 59)
        assert (found.count, found.has_first, found.has_last) == (60, True, True)
        assert await index.search_keyword(ACME, scope(number), "notice", 5) == []
    assert len(await index.search_keyword(ACME, HOME, "notice", 500)) == 240
    assert len(await index.search_vector(ACME, HOME, unit_vector("q"), 500)) == 240
    index.close()
