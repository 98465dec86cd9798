"""`project_audit_log` and `catch_up_audit_copies`: what is sealed can soon be searched, in any case (T7)."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.dynamodb.audit_keys import UNPROJECTED, unprojected_item
from shared.adapters.postgres.database import Database
from shared.kernel.ids import TenantId
from shared.operations.capabilities import DATABASE
from shared.operations.registry import load_operation
from tests.audit.logs import CLOCK
from tests.ingestion.functions import Functions
from tests.postgres.logs import copied

EVENTS = Path(__file__).resolve().parents[2] / "events"
PROJECT = load_operation("audit", "project_audit_log")
CATCH_UP = load_operation("audit", "catch_up_audit_copies")
pytestmark = [pytest.mark.real_server, pytest.mark.slow]


@pytest.fixture
def database(cloud):
    opened = Database(cloud.address_of(DATABASE))
    yield opened
    opened.close()


@pytest.fixture
def elsewhere(cloud):
    """The functions of a deployment without a database."""
    return Functions(replace(cloud, variables={**cloud.variables, DATABASE.variable: ""}))


def told(name, tenant):
    """Return an event of the table's stream about a tenant's log."""
    text = (EVENTS / "dynamodb" / f"{name}.json").read_text()
    return json.loads(text.replace("t#acme", f"t#{tenant}"))


async def test_sealed_block_can_be_searched(functions, log, database):
    written = await log.write(5)

    for _ in range(2):
        assert await functions.invoke(PROJECT, told("audit_block_sealed", log.tenant)) == {"batchItemFailures": []}

    assert [one.event for one in await copied(database, log.tenant)] == written
    assert log.items(UNPROJECTED) == {}


async def test_other_changes_of_the_table_ask_the_database_nothing(functions, log, database):
    await log.write(5)

    for name in ("audit_event_added", "audit_event_sealed"):
        assert await functions.invoke(PROJECT, told(name, log.tenant)) == {"batchItemFailures": []}

    assert await copied(database, log.tenant) == []


async def test_what_the_stream_missed_is_copied_by_the_schedule(functions, log, other_log, database):
    for one in (log, other_log):
        await one.write(95)
        one.put(unprojected_item(one.tenant, CLOCK.now() - timedelta(minutes=5)))

    done = await functions.invoke(CATCH_UP, {})

    assert done["tenants"] >= 2
    assert done["events"] >= 190
    for one in (log, other_log):
        assert len(await copied(database, one.tenant)) == 95
        assert one.items(UNPROJECTED) == {}


async def test_one_broken_log_keeps_no_other_waiting(functions, log, other_log, database):
    for one in (log, other_log):
        await one.write(3)
        one.put(unprojected_item(one.tenant, CLOCK.now() - timedelta(minutes=5)))
    (block,) = log.block_items()
    log.put({**block, "last_hash": {"B": bytes(32)}})

    with pytest.raises(ExceptionGroup):
        await functions.invoke(CATCH_UP, {})

    assert len(await copied(database, other_log.tenant)) == 3
    assert await copied(database, log.tenant) == []
    log.delete(log.items(UNPROJECTED)[UNPROJECTED])


async def test_deployment_without_a_database_keeps_its_logs_for_later(elsewhere, log):
    await log.write(2)

    assert await elsewhere.invoke(PROJECT, told("audit_block_sealed", log.tenant)) == {"batchItemFailures": []}
    assert await elsewhere.invoke(CATCH_UP, {}) == {"tenants": 0, "events": 0}

    assert UNPROJECTED in log.items(UNPROJECTED)


async def test_log_that_grows_while_it_is_copied_goes_on_waiting(cloud, log):
    from shared.adapters.dynamodb.audit_projection import DynamoUnprojectedHeads

    await log.write(2)
    seen = await log.blocks.head(log.tenant)
    await log.write(2)

    await DynamoUnprojectedHeads(cloud.dynamodb, log.table).mark_projected(TenantId(log.tenant), seen)

    assert UNPROJECTED in log.items(UNPROJECTED)
