"""Keys of the audit table, all of them, and the item that an event is until it is sealed. The tenant leads every key.

    pk            sk                        what it is                                   in the index `pending`
    t#<tenant>    pending#<event id>        an event; once sealed, only that it was      until it is sealed
    t#<tenant>    block#<first seq>         up to 90 lines of the chain                  never
    t#<tenant>    head                      the last place of the chain                  never
    t#<tenant>    unanchored                that the head has moved since its anchor     as long as it exists
    t#<tenant>    unprojected               that it has moved since it was copied        as long as it exists

The index leads with the tenant, too (`t#<tenant>` for events, `t#<tenant>#head` for heads), and with a sparse index of
what waits, whoever looks for tenants with something to do reads little more than that.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.adapters.dynamodb.keys import Key, tenant_partition
from shared.audit.events import AuditEvent, AuditEventId, canonical, read_event
from shared.kernel.ids import TenantId, new_id

INDEX: Final = "pending"
PENDING_PREFIX: Final = "pending#"
BLOCK_PREFIX: Final = "block#"
HEAD: Final = "head"
UNANCHORED: Final = "unanchored"
UNPROJECTED: Final = "unprojected"

REMEMBERED_FOR: Final = timedelta(days=35)
"""How long a sealed event is known as such: longer than a message lives in its queue (4 days), in the dead letters
(14), and, redriven from there, in its queue again."""

_SEQ_DIGITS: Final = 20


def pending_key(tenant: TenantId, event_id: AuditEventId) -> Key:
    return _key(tenant, f"{PENDING_PREFIX}{event_id}")


def first_event_id(since: datetime) -> AuditEventId:
    """Return the id that no event since a moment is less than."""
    lowest, _, digits = new_id("aud", since).rpartition("_")
    return AuditEventId(f"{lowest}_{digits[:10]}{'0' * (len(digits) - 10)}")


def block_key(tenant: TenantId, first_seq: int) -> Key:
    return _key(tenant, f"{BLOCK_PREFIX}{first_seq:0{_SEQ_DIGITS}}")


def head_key(tenant: TenantId) -> Key:
    return _key(tenant, HEAD)


def unanchored_key(tenant: TenantId) -> Key:
    return _key(tenant, UNANCHORED)


def pending_item(event: AuditEvent) -> dict[str, Any]:
    """Return the item of an event that waits for being sealed.

    It is put under the condition `attribute_not_exists(pk)`: its id keeps it single, also after it was sealed.
    """
    return {
        **pending_key(event.tenant, event.event_id),
        "event": {"S": canonical(event)},
        "pending_partition": {"S": pending_partition(event.tenant)},
        "pending_at": {"N": milliseconds(event.at)},
    }


def waiting_event(tenant: TenantId, item: Mapping[str, Any]) -> AuditEvent | None:
    """Return the event that `pending_item` wrote; None when it cannot have written the item."""
    try:
        event = read_event(item["event"]["S"])
    except (KeyError, ValueError):
        return None
    return event if pending_key(tenant, event.event_id).items() <= item.items() and event.tenant == tenant else None


def pending_partition(tenant: TenantId) -> str:
    """Return where the events of a tenant wait in the index."""
    return tenant_partition(tenant)


def unprojected_key(tenant: TenantId) -> Key:
    return _key(tenant, UNPROJECTED)


def unanchored_item(tenant: TenantId, now: datetime) -> dict[str, Any]:
    """Return the item that says since when a head waits for its anchor."""
    return _waiting_head(unanchored_key(tenant), tenant, now)


def unprojected_item(tenant: TenantId, now: datetime) -> dict[str, Any]:
    """Return the item that says since when a log waits for its searchable copy."""
    return _waiting_head(unprojected_key(tenant), tenant, now)


def _waiting_head(key: Key, tenant: TenantId, now: datetime) -> dict[str, Any]:
    return {
        **key,
        "pending_partition": {"S": f"{tenant_partition(tenant)}#head"},
        "pending_at": {"N": milliseconds(now)},
    }


def tenant_of_item(keys: Mapping[str, Any], prefix: str) -> TenantId | None:
    """Return whose item a change of the table is about, from its plain keys, if its sort key has the prefix."""
    return tenant_of(keys["pk"]) if str(keys["sk"]).startswith(prefix) else None


def tenant_of(partition: str) -> TenantId:
    """Return whose a partition is."""
    return TenantId(partition.split("#")[1])


def milliseconds(moment: datetime) -> str:
    """Return how the index writes a moment."""
    return str(int(moment.timestamp() * 1000))


def moment_of(milliseconds: str) -> datetime:
    """Return the moment that the index wrote; the earliest for what it cannot have written, which so is looked into."""
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.min.replace(tzinfo=UTC)


def _key(tenant: TenantId, sort: str) -> Key:
    return {"pk": {"S": tenant_partition(tenant)}, "sk": {"S": sort}}
