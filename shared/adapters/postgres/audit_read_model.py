"""The searchable copy of the audit log in PostgreSQL: a row for each event, a partition for each month."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.adapters.postgres.database import Database, Transaction
from shared.audit.chain import Link
from shared.audit.events import read_line
from shared.audit.projection import BrokenChainError
from shared.audit.read_model import AuditFilter, HashedLine, SealedEvent, Stretch
from shared.kernel.ids import TenantId

MONTHS_AHEAD: Final = 3

_COLUMNS: Final = {
    "seq": "bigint", "at": "timestamptz", "event_id": "text", "actor": "text", "role": "text", "key_id": "text",
    "operation": "text", "resource": "text", "kind": "text", "outcome": "text", "ip": "text", "request_id": "text",
    "step": "integer", "line": "text", "hash": "text",
}  # fmt: skip

_NAMES: Final = ", ".join(_COLUMNS)

FILED_AT: Final = "greatest('2020-01-01 00:00+00', least({at}, now() + interval '1 year'))"
"""The month of an event, unless a clock went wrong: no month is made for just any time. The line keeps what it said."""

INSERT: Final = (
    f"INSERT INTO tessera.audit_events (tenant, {_NAMES})"  # noqa: S608 - names of this file
    f" SELECT $1, {', '.join(FILED_AT.format(at=name) if name == 'at' else name for name in _COLUMNS)} FROM unnest("
    + ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(_COLUMNS.values(), start=2))
    + f") AS sealed ({_NAMES})"
)
LOCK: Final = "SELECT last_seq, last_hash FROM tessera.audit_projection WHERE tenant = $1 FOR UPDATE"
BEGIN_COPY: Final = (
    "INSERT INTO tessera.audit_projection (tenant, last_seq, last_hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING"
)
MOVE: Final = "UPDATE tessera.audit_projection SET last_seq = $2, last_hash = $3 WHERE tenant = $1"
LAST: Final = "SELECT last_seq, last_hash FROM tessera.audit_projection WHERE tenant = $1"
STRETCH: Final = (
    "SELECT min(seq) AS first_seq, max(seq) AS last_seq FROM tessera.audit_events"
    " WHERE tenant = $1 AND at >= $2 AND at < $3"
)
LINES: Final = (
    "SELECT seq, line, hash FROM tessera.audit_events WHERE tenant = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq"
)
MAKE_MONTH: Final = f"SELECT tessera.make_audit_month({FILED_AT.format(at='$1')})"


class PostgresAuditReadModel:
    """Implements `AuditReadModel`. Row-level security limits every statement; the tenant in it lets indexes be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self, tenant: TenantId) -> Link | None:
        async def work(transaction: Transaction) -> Link | None:
            row = await transaction.fetchrow(LAST, tenant)
            return None if row is None or row["last_seq"] == 0 else _link(row)

        return await self._database.tenant_transaction(tenant, work)

    async def append(self, tenant: TenantId, after: Link, events: Sequence[SealedEvent]) -> bool:
        # Asked for each time: a database that was lost and made anew has not all months that it had.
        months = {_month(sealed.event.at): sealed.event.at for sealed in events}

        async def work(transaction: Transaction) -> bool:
            if after.seq == 0:
                await transaction.execute(BEGIN_COPY, tenant, after.hash.hex())
            row = await transaction.fetchrow(LOCK, tenant)
            if row is None or _link(row) != after:
                return False
            for moment in months.values():
                await transaction.fetchval(MAKE_MONTH, moment)
            await transaction.execute(INSERT, tenant, *_arrays(events))
            await transaction.execute(MOVE, tenant, events[-1].seq, events[-1].hash.hex())
            return True

        return await self._database.tenant_transaction(tenant, work)

    async def newest(
        self, tenant: TenantId, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> list[SealedEvent]:
        conditions, values = _conditions(tenant, wanted)
        if before is not None:
            values.append(before)
            conditions.append(f"seq < ${len(values)}")
        query = (
            f"SELECT seq, line, hash FROM tessera.audit_events WHERE {' AND '.join(conditions)}"  # noqa: S608 - bound values
            f" ORDER BY seq DESC LIMIT {int(limit)}"
        )

        async def work(transaction: Transaction) -> list[SealedEvent]:
            return [_sealed(tenant, row) for row in await transaction.fetch(query, *values)]

        return await self._database.tenant_transaction(tenant, work)

    async def stretch(self, tenant: TenantId, since: datetime | None, until: datetime) -> Stretch | None:
        async def work(transaction: Transaction) -> Stretch | None:
            row = await transaction.fetchrow(STRETCH, tenant, since or datetime.min.replace(tzinfo=UTC), until)
            return None if row["first_seq"] is None else Stretch(row["first_seq"], row["last_seq"])

        return await self._database.tenant_transaction(tenant, work)

    async def lines(self, tenant: TenantId, stretch: Stretch) -> list[HashedLine]:
        async def work(transaction: Transaction) -> list[HashedLine]:
            rows = await transaction.fetch(LINES, tenant, stretch.first_seq, stretch.last_seq)
            return [HashedLine(seq, line.encode("ascii"), bytes.fromhex(hashed)) for seq, line, hashed in rows]

        return await self._database.tenant_transaction(tenant, work)

    async def prepare_months(self, now: datetime) -> int:
        async def work(transaction: Transaction) -> int:
            made = [await transaction.fetchval(MAKE_MONTH, moment) for moment in _coming_months(now)]
            return sum(made)

        return await self._database.transaction_of_nobody(work)


def _conditions(tenant: TenantId, wanted: AuditFilter) -> tuple[list[str], list[Any]]:
    """Return the conditions of a filter and the values that they name, the tenant first."""
    conditions = ["tenant = $1"]
    values: list[Any] = [tenant]
    for condition, value in (
        ("actor = ", wanted.actor),
        ("operation = ", wanted.operation),
        ("kind = ", wanted.kind),
        ("outcome = ", wanted.outcome),
        ("at >= ", wanted.since),
        ("at < ", wanted.until),
    ):
        if value is not None:
            values.append(value)
            conditions.append(f"{condition}${len(values)}")
    if wanted.resource_prefix:
        # Not LIKE: it might tell of others' rows by its cost or errors, so row-level security keeps it from the index.
        values += [wanted.resource_prefix, _behind(wanted.resource_prefix)]
        conditions.append(f"resource >= ${len(values) - 1} AND resource < ${len(values)}")
    return conditions, values


def _behind(prefix: str) -> str:
    """Return the first text behind all those that begin with `prefix`; resources are printable ASCII."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _arrays(events: Sequence[SealedEvent]) -> list[list[Any]]:
    """Return the columns of `events`, in the order of `_COLUMNS`."""
    rows = [
        (
            one.seq, one.event.at, one.event.event_id, one.event.actor, one.event.role, one.event.key_id,
            one.event.operation, one.event.resource, one.event.kind.value, one.event.outcome, one.event.ip,
            one.event.request_id, one.event.step, one.line.decode("ascii"), one.hash.hex(),
        )
        for one in events
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]


def _sealed(tenant: TenantId, row: Any) -> SealedEvent:
    """Return what a line says: columns are there to be searched. Raises: BrokenChainError."""
    line = row["line"].encode("ascii")
    try:
        seq, event = read_line(line)
    except ValueError as error:
        raise BrokenChainError(row["seq"]) from error
    if (seq, event.tenant) != (row["seq"], tenant):
        raise BrokenChainError(row["seq"])
    return SealedEvent(seq, event, line, bytes.fromhex(row["hash"]))


def _link(row: Any) -> Link:
    return Link(row["last_seq"], bytes.fromhex(row["last_hash"]))


def _month(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m")


def _coming_months(now: datetime) -> list[datetime]:
    """Return a moment in this month and in each of those that follow."""
    moments = [now.astimezone(UTC).replace(day=1)]
    for _ in range(MONTHS_AHEAD):
        moments.append((moments[-1] + timedelta(days=32)).replace(day=1))
    return moments
