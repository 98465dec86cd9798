"""Audit events and chains made of them, without any store."""

from datetime import UTC, datetime, timedelta

from shared.audit.chain import MOST_EVENTS, genesis, make_block
from shared.audit.events import ADMITTED, EventKind, new_event
from shared.kernel.ids import TenantId

ACME = TenantId("acme")
GLOBEX = TenantId("globex")
MORNING = datetime(2026, 11, 21, 8, tzinfo=UTC)


def event(tenant=ACME, at=MORNING, **differing):
    return new_event(
        **{
            "tenant": tenant,
            "at": at,
            "actor": "usr_01kahv2q5r0000000000000000",
            "role": "viewer",
            "operation": "get_document",
            "resource": "knowledge-bases/kb_00000000000000000000000001/documents/doc_00000000000000000000000000",
            "kind": EventKind.ACCESS,
            "outcome": ADMITTED,
            "ip": "203.0.113.7",
            "request_id": "01HRD7YJ4W",
            **differing,
        }
    )


def events(count, tenant=ACME, since=MORNING):
    """Return so many events, a millisecond apart."""
    return [event(tenant, since + timedelta(milliseconds=number)) for number in range(count)]


def chain(count, tenant=ACME, in_block=MOST_EVENTS):
    """Return the blocks of a log of so many events."""
    place, blocks, waiting = genesis(tenant), [], events(count, tenant)
    for start in range(0, count, in_block):
        blocks.append(make_block(tenant, place, waiting[start : start + in_block]))
        place = blocks[-1].end
    return blocks
