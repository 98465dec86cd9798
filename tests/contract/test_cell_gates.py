"""Gates, erasures, and placements that give way to a first chunk: in the table of cells, on the emulator (T6)."""

from typing import Any

import boto3
import pytest

from shared.adapters.aws.sdk_sessions import for_threads
from shared.adapters.dynamodb.cell_gates import DynamoErasures, DynamoGates
from shared.adapters.dynamodb.placements import DynamoPlacements
from shared.cells.erasures import Erasure
from shared.cells.gates import Gate, GateRole
from shared.cells.models import CellId
from shared.cells.placements import Placement
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId
from shared.operations.capabilities import CELLS
from tests.contract.chunks import document, scope
from tests.ingestion.cloud import Cloud
from tests.records import transactions_of

pytestmark = pytest.mark.real_server

A, B = CellId("a"), CellId("b")


@pytest.fixture
def client(cloud: Cloud) -> Any:
    return for_threads(boto3.client("dynamodb"))


async def test_gates_only_rise_and_the_first_at_an_epoch_stays(cloud: Cloud, client: Any) -> None:
    gates, acme = DynamoGates(client, cloud.address_of(CELLS)), TenantId("gates")
    assert await gates.gate(acme, A) == Gate()
    first = Gate(3, GateRole.MIRRORED, B)

    assert await gates.set_gate(acme, A, first) == first
    assert await gates.set_gate(acme, A, Gate(3, GateRole.OPEN)) == first
    assert await gates.set_gate(acme, A, Gate(2, GateRole.OPEN)) == first
    later = Gate(4, GateRole.OPEN)
    assert await gates.set_gate(acme, A, later) == later == await gates.gate(acme, A)
    assert await gates.gate(acme, B) == await gates.gate(TenantId("other"), A) == Gate()


async def test_erasures_are_kept_once_until_they_are_forgotten(cloud: Cloud, client: Any) -> None:
    erasures = DynamoErasures(client, cloud.address_of(CELLS), SystemClock())
    acme, base = TenantId("erasures"), scope(1)
    one, all_of_it = Erasure(base.kb_id, 1, document(1), 2), Erasure(base.kb_id, 1)
    for erasure in (one, all_of_it, one):
        await erasures.note(acme, erasure)

    assert set(await erasures.noted(acme, 10)) == {one, all_of_it}
    assert len(await erasures.noted(acme, 1)) == 1
    assert await erasures.noted(TenantId("other"), 10) == []
    await erasures.forget(acme, [one])
    assert await erasures.noted(acme, 10) == [all_of_it]


async def test_whoever_has_a_first_chunk_at_home_is_placed_nowhere_else(cloud: Cloud, client: Any) -> None:
    gates = DynamoGates(client, cloud.address_of(CELLS))
    placements = DynamoPlacements(transactions_of(cloud), cloud.address_of(CELLS), A)
    staying, new = TenantId("staying"), TenantId("brand-new")
    await gates.set_gate(staying, A, Gate(1, GateRole.OPEN))

    assert not await placements.add(Placement(staying, B), 9)
    assert await placements.add(Placement(staying, A), 9)
    assert await placements.add(Placement(new, B), 9)
