"""Documents are taken in where their tenant is, before, while and after it moves: real consumers, two cells (T6)."""

import json
from pathlib import Path

import pytest

from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.cells.models import CellId
from shared.cells.placements import MoveState
from shared.kernel.ids import KnowledgeBaseId, TenantId
from shared.knowledge.keys import document_id_of
from shared.knowledge.models import DocumentStatus
from shared.operations.capabilities import UPLOADS
from shared.operations.registry import load_operation
from shared.operations.vector_cells import VECTOR_CELLS, VectorCell, VectorCells
from shared.tenancy.plans import STARTER
from tests.ingestion.cloud import Cloud
from tests.ingestion.functions import Functions, services_of_all

TICK = json.loads((Path(__file__).resolve().parents[2] / "events" / "schedule" / "every_minute.json").read_text())
MOVER = TenantId("mover")
BASE = KnowledgeBaseId("kb_00000000000000000000000077")
KEY = f"t/{MOVER}/kb/{BASE}/terms.md"
CELLS = VectorCells(
    cells=(
        VectorCell(id="main", address="sqlite", region="local"),
        VectorCell(id="second", address="sqlite", region="local"),
    )
)
pytestmark = [pytest.mark.real_server, pytest.mark.slow]


@pytest.fixture
def two_cells(cloud):
    return Cloud({**cloud.variables, VECTOR_CELLS: CELLS.model_dump_json()}, cloud.dead_letters)


async def chunks(cloud, name):
    store = SqliteChunkIndex(cloud.settings.local_folder / f"{name}.sqlite")
    try:
        return await store.count(MOVER)
    finally:
        store.close()


async def test_documents_are_taken_in_wherever_their_tenant_is(two_cells):
    functions, services = Functions(two_cells), services_of_all(two_cells)
    await services.knowledge_bases.create(MOVER, "Terms", STARTER, kb_id=BASE)

    async def drop(text):
        two_cells.s3.put_object(Bucket=two_cells.address_of(UPLOADS), Key=KEY, Body=text.encode())
        await functions.work_off()
        document = await services.catalogue.document(MOVER, BASE, document_id_of(KEY))
        assert document.status is DocumentStatus.READY
        assert document.live is not None
        return document.live.generation

    first = await drop("The notice period is 30 days.\n")
    assert (await chunks(two_cells, "vectors"), await chunks(two_cells, "vectors-second")) == (1, 0)

    moves = services.cells.moves
    await moves.start(MOVER, CellId("second"))
    while (move := (await moves.placement(MOVER)).move) is not None and move.state is not MoveState.DUAL_READ:
        await moves.mover.advance(MOVER)
    second = await drop("The notice period is 60 days.\n")
    await functions.invoke(load_operation("cells", "advance_tenant_moves"), TICK)
    assert (await moves.placement(MOVER)).cell == "second"
    third = await drop("The notice period is 90 days.\n")

    assert first < second < third
    assert await chunks(two_cells, "vectors") == 0
    assert await chunks(two_cells, "vectors-second") >= 1
