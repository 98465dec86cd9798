"""The searchable copy of the audit log: complete, in order, each event once, whatever happens on the way (T7)."""

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.postgres.addresses import read_address
from shared.adapters.postgres.audit_read_model import PostgresAuditReadModel
from shared.adapters.postgres.database import Database
from shared.adapters.postgres.migrator import NOTHING, migrate
from shared.audit.chain import genesis
from shared.audit.events import EventKind
from shared.audit.exports import AuditExports, ExportAuditLogRequest
from shared.audit.projection import BrokenChainError, continued
from shared.audit.queries import AuditQueries
from shared.audit.read_model import AuditFilter, Stretch
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId, new_id
from shared.kernel.pages import InvalidPageTokenError, page_token
from tests.audit.samples import MORNING, event, events
from tests.postgres.logs import SealedLogs, copied, projection
from tests.postgres.servers import TestDatabase, run

pytestmark = pytest.mark.real_server

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def tenant() -> TenantId:
    return TenantId(f"audited-{secrets.token_hex(6)}")


@pytest.fixture
def logs() -> SealedLogs:
    return SealedLogs()


async def test_copy_holds_every_line_with_its_hash(database: Database, logs: SealedLogs, tenant: TenantId) -> None:
    logs.seal(tenant, events(205, tenant))

    assert await projection(logs, database).catch_up(tenant) == 205

    found = await copied(database, tenant)
    assert found == continued(genesis(tenant), logs.of_tenant[tenant])
    assert logs.waiting == set()


async def test_seeing_a_block_twice_or_late_changes_nothing(
    database: Database, logs: SealedLogs, tenant: TenantId
) -> None:
    logs.seal(tenant, events(10, tenant), in_block=4)
    copying = projection(logs, database)

    assert [await copying.catch_up(tenant, first) for first in (9, 1, 5, 9, 0)] == [10, 0, 0, 0, 0]
    assert await projection(logs, database).catch_up(tenant, 1) == 0

    assert [one.seq for one in await copied(database, tenant)] == list(range(1, 11))


async def test_block_that_is_known_to_be_copied_costs_nothing(
    database: Database, logs: SealedLogs, tenant: TenantId
) -> None:
    logs.seal(tenant, events(10, tenant), in_block=2)
    copying = projection(logs, database)
    await copying.catch_up(tenant, 1)
    reads = logs.reads

    for first in (1, 3, 5, 7, 9):
        await copying.catch_up(tenant, first)

    assert logs.reads == reads


async def test_many_who_copy_at_once_copy_once(address: TestDatabase, logs: SealedLogs, tenant: TenantId) -> None:
    logs.seal(tenant, events(60, tenant), in_block=3)
    databases = [Database(address.app) for _ in range(3)]
    try:
        done = await asyncio.gather(*(projection(logs, one).catch_up(tenant) for one in databases for _ in range(2)))

        assert sum(done) == 60
        assert [one.seq for one in await copied(databases[0], tenant)] == list(range(1, 61))
    finally:
        for one in databases:
            one.close()


async def test_log_that_was_missed_is_found_again(database: Database, logs: SealedLogs, tenant: TenantId) -> None:
    logs.seal(tenant, events(3, tenant))
    copying = projection(logs, database)

    (left_over,) = await copying.tenants_left_over(MORNING)
    await copying.catch_up(left_over)

    assert await copying.tenants_left_over(MORNING) == []
    assert len(await copied(database, tenant)) == 3


@pytest.mark.parametrize("spoil", ["line", "gap", "order", "end", "tenant"])
async def test_what_does_not_continue_the_chain_is_not_copied(
    database: Database, logs: SealedLogs, tenant: TenantId, spoil: str
) -> None:
    logs.seal(tenant, events(12, tenant), in_block=3)
    copying = projection(logs, database)
    good = logs.of_tenant[tenant]
    line = good[1].lines[0]
    spoilt = {
        "line": [good[0], replace(good[1], lines=(line.replace(b"viewer", b"owner_"), *good[1].lines[1:]))],
        "gap": [good[0], good[2]],
        "order": [good[0], replace(good[1], lines=good[1].lines[::-1])],
        "end": [good[0], replace(good[1], last_hash=bytes(32))],
        "tenant": [replace(good[0], lines=tuple(one.replace(tenant.encode(), b"other") for one in good[0].lines))],
    }[spoil]
    logs.of_tenant[tenant] = spoilt

    with pytest.raises(BrokenChainError):
        await copying.catch_up(tenant)

    assert await copied(database, tenant) == []


async def test_events_of_months_that_nobody_prepared_find_their_place(
    database: Database, logs: SealedLogs, tenant: TenantId
) -> None:
    now = datetime.now(UTC)
    logs.seal(tenant, [event(tenant, now + timedelta(days=30 * months)) for months in (-14, -3, 5, 6, 12)])

    assert await projection(logs, database).catch_up(tenant) == 5

    assert len(await copied(database, tenant)) == 5


async def test_events_of_a_clock_that_went_wrong_keep_no_other_from_the_copy(
    database: Database, logs: SealedLogs, tenant: TenantId
) -> None:
    moments = [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), MORNING]
    logs.seal(tenant, [event(tenant, moment) for moment in moments])

    assert await projection(logs, database).catch_up(tenant) == 3

    assert [one.event.at for one in await copied(database, tenant)] == moments
    (found,) = await copied(database, tenant, AuditFilter(since=MORNING, until=MORNING + timedelta(seconds=1)))
    assert found.seq == 3


@pytest.mark.parametrize("spoil", ["line = 'x'", "line = replace(line, '\"seq\":2', '\"seq\":3')"])
async def test_line_that_cannot_be_what_was_copied_is_not_shown(
    address: TestDatabase, database: Database, logs: SealedLogs, tenant: TenantId, spoil: str
) -> None:
    logs.seal(tenant, events(3, tenant))
    await projection(logs, database).catch_up(tenant)
    change = f"UPDATE tessera.audit_events SET {spoil} WHERE tenant = '{tenant}' AND seq = 2"  # noqa: S608
    await asyncio.to_thread(run, address.superuser, change)

    with pytest.raises(BrokenChainError):
        await copied(database, tenant)


async def test_copy_that_was_lost_is_made_anew_also_by_who_made_it(
    empty_database: TestDatabase, logs: SealedLogs, tenant: TenantId
) -> None:
    owner = read_address(empty_database.owner)
    await migrate(owner)
    database = Database(empty_database.app)
    copying = projection(logs, database)
    logs.seal(tenant, events(5, tenant, datetime(2025, 1, 5, tzinfo=UTC)))
    await copying.catch_up(tenant)
    await migrate(owner, NOTHING)
    await migrate(owner)

    assert await copying.catch_up(tenant) == 5

    assert [one.seq for one in await copied(database, tenant)] == [1, 2, 3, 4, 5]
    database.close()


async def test_months_begin_and_end_in_utc_wherever_the_server_thinks_it_is(
    empty_database: TestDatabase, logs: SealedLogs, tenant: TenantId
) -> None:
    name = empty_database.app.rpartition("/")[2]
    elsewhere = (
        f"ALTER DATABASE {name} SET {what}" for what in ("TimeZone = 'Asia/Kolkata'", "DateStyle = 'SQL, DMY'")
    )
    await asyncio.to_thread(run, empty_database.superuser, *elsewhere)
    await migrate(read_address(empty_database.owner))
    database = Database(empty_database.app)
    borders = [datetime(2024, 3, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)]
    moments = [moment for border in borders for moment in (border - timedelta(microseconds=1), border)]
    logs.seal(tenant, [event(tenant, moment) for moment in moments])

    await projection(logs, database).catch_up(tenant)

    assert [one.event.at for one in await copied(database, tenant)] == moments
    assert await PostgresAuditReadModel(database).stretch(tenant, moments[1], moments[3]) == Stretch(2, 3)
    database.close()


async def test_room_is_made_for_the_coming_months_once(database: Database) -> None:
    model = PostgresAuditReadModel(database)
    await model.prepare_months(MORNING + timedelta(days=62))

    assert await model.prepare_months(MORNING + timedelta(days=62)) == 0


@pytest.mark.parametrize(
    ("wanted", "fitting"),
    [
        (AuditFilter(), [1, 2, 3, 4, 5]),
        (AuditFilter(actor="usr_b"), [2, 4]),
        (AuditFilter(operation="delete_document"), [4]),
        (AuditFilter(kind=EventKind.REFUSAL), [3]),
        (AuditFilter(outcome="forbidden"), [3]),
        (AuditFilter(resource_prefix="knowledge-bases/kb_1"), [1, 2]),
        (AuditFilter(resource_prefix="knowledge-bases/kb_1/"), [2]),
        (AuditFilter(resource_prefix="%"), []),
        (AuditFilter(resource_prefix="knowledge_bases"), []),
        (AuditFilter(resource_prefix="~"), [5]),
        (AuditFilter(since=MORNING + timedelta(hours=1), until=MORNING + timedelta(hours=3)), [2, 3]),
        (AuditFilter(actor="usr_b", until=MORNING + timedelta(hours=3)), [2]),
        (AuditFilter(actor="' OR true --"), []),
    ],
)
async def test_filters_find_what_fits(
    database: Database, logs: SealedLogs, tenant: TenantId, wanted: AuditFilter, fitting: list[int]
) -> None:
    differing = (
        {"resource": "knowledge-bases/kb_1"},
        {"resource": "knowledge-bases/kb_1/documents/doc_1", "actor": "usr_b"},
        {"resource": "knowledge-bases/kb_2", "kind": EventKind.REFUSAL, "outcome": "forbidden"},
        {"resource": "", "actor": "usr_b", "operation": "delete_document", "kind": EventKind.WRITE},
        {"resource": "~odd"},
    )
    logs.seal(tenant, [event(tenant, MORNING + timedelta(hours=hour), **one) for hour, one in enumerate(differing)])
    await projection(logs, database).catch_up(tenant)

    assert [one.seq for one in await copied(database, tenant, wanted)] == fitting


async def test_pages_go_on_where_the_last_one_ended_also_while_the_log_grows(
    database: Database, logs: SealedLogs, tenant: TenantId
) -> None:
    logs.seal(tenant, events(7, tenant))
    await projection(logs, database).catch_up(tenant)
    queries = AuditQueries(PostgresAuditReadModel(database))

    first = await queries.page(tenant, AuditFilter(), 3, None)
    logs.seal(tenant, events(2, tenant))
    await projection(logs, database).catch_up(tenant)
    second = await queries.page(tenant, AuditFilter(), 3, first.next_page_token)
    third = await queries.page(tenant, AuditFilter(), 3, second.next_page_token)

    assert [[one.seq for one in page.items] for page in (first, second, third)] == [[7, 6, 5], [4, 3, 2], [1]]
    assert third.next_page_token is None
    for other, wanted in ((TenantId("globex"), AuditFilter()), (tenant, AuditFilter(actor="usr_b"))):
        with pytest.raises(InvalidPageTokenError):
            await queries.page(other, wanted, 3, first.next_page_token)


class KeptExports:
    """Implements `ExportStore`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def put(self, tenant: TenantId, name: str, content: bytes) -> bytes:
        return self.files.setdefault(name, content)

    async def link(self, tenant: TenantId, name: str, lifetime: timedelta) -> str:
        return f"kept:{name}"


async def test_made_up_token_of_an_export_leads_nowhere(database: Database, logs: SealedLogs, tenant: TenantId) -> None:
    logs.seal(tenant, events(7, tenant))
    await projection(logs, database).catch_up(tenant)
    exports = AuditExports(PostgresAuditReadModel(database), KeptExports(), SystemClock())

    for place in ("8-9", "9999999999-99999999999", "5-2", "-", "a-b", "-1-3"):
        token = page_token(place, tenant, "audit-exports", None, None)
        with pytest.raises(InvalidPageTokenError):
            await exports.export(tenant, new_id("exp", SystemClock().now()), ExportAuditLogRequest(page_token=token))


async def test_repeated_export_is_the_same_file_though_the_copy_has_grown_meanwhile(
    database: Database, logs: SealedLogs, tenant: TenantId
) -> None:
    logs.seal(tenant, events(7, tenant, YESTERDAY))
    await projection(logs, database).catch_up(tenant)
    exports = AuditExports(PostgresAuditReadModel(database), KeptExports(), SystemClock())
    export_id, asked = new_id("exp", SystemClock().now()), ExportAuditLogRequest()
    first = await exports.export(tenant, export_id, asked)
    logs.seal(tenant, events(2, tenant, YESTERDAY))
    await projection(logs, database).catch_up(tenant)

    again = await exports.export(tenant, export_id, asked)

    assert (again.url, again.sha256, again.size_bytes) == (first.url, first.sha256, first.size_bytes)
    assert (again.events, again.last_seq, again.last_hash) == (7, 7, first.last_hash)
    further = await exports.export(
        tenant, new_id("exp", SystemClock().now()), ExportAuditLogRequest(page_token=again.next_page_token)
    )
    assert (further.first_seq, further.last_seq, further.previous_hash) == (8, 9, first.last_hash)


@pytest.mark.parametrize(
    ("spoil", "since"),
    [
        ("DELETE FROM tessera.audit_events WHERE tenant = '{}' AND seq = 2", YESTERDAY),
        ("DELETE FROM tessera.audit_events WHERE tenant = '{}' AND seq = 2", YESTERDAY + timedelta(milliseconds=2)),
        ("UPDATE tessera.audit_events SET line = line || ' ' WHERE tenant = '{}' AND seq = 5", YESTERDAY),
    ],
    ids=["gap", "gap before the first line", "other line"],
)
async def test_copy_that_does_not_continue_is_not_exported(
    address: TestDatabase, database: Database, logs: SealedLogs, tenant: TenantId, spoil: str, since: datetime
) -> None:
    logs.seal(tenant, events(7, tenant, YESTERDAY))
    await projection(logs, database).catch_up(tenant)
    await asyncio.to_thread(run, address.superuser, spoil.format(tenant))
    kept = KeptExports()
    exports = AuditExports(PostgresAuditReadModel(database), kept, SystemClock())
    asked = ExportAuditLogRequest.model_validate({"since": since.isoformat()})

    with pytest.raises(BrokenChainError):
        await exports.export(tenant, new_id("exp", SystemClock().now()), asked)

    assert kept.files == {}


async def test_part_of_the_log_is_read_in_order(database: Database, logs: SealedLogs, tenant: TenantId) -> None:
    logs.seal(tenant, events(7, tenant))
    await projection(logs, database).catch_up(tenant)
    model = PostgresAuditReadModel(database)

    assert await model.stretch(tenant, MORNING + timedelta(milliseconds=2), MORNING + timedelta(milliseconds=5)) == (
        Stretch(3, 5)
    )
    assert await model.stretch(tenant, None, MORNING) is None
    assert [one.seq for one in await model.lines(tenant, Stretch(3, 5))] == [3, 4, 5]
