"""Keys of the table of limits, all of them. The tenant leads every partition key (invariant 4).

    pk                                    sk
    t#<tenant>#bucket#<name>#<subject>    bucket          full_at: when the bucket is full again, in microseconds
    t#<tenant>#window#<name>#<subject>    <number>        used: what was used in that window
    t#<tenant>#lease#<name>               slot#<number>   holder, until: who has the place, and until which microsecond

Every limit is a partition of its own, so that no tenant has a hot one for all.
"""

from typing import Any

from shared.kernel.ids import TenantId
from shared.limits.admission import Limit
from shared.limits.rules import Bucket

Key = dict[str, Any]

BUCKET = "bucket"
SLOT_PREFIX = "slot#"


def bucket_key(tenant: TenantId, name: str, subject: str) -> Key:
    return _key(f"t#{tenant}#bucket#{name}#{subject}", BUCKET)


def window_key(tenant: TenantId, name: str, subject: str, number: int) -> Key:
    return _key(f"t#{tenant}#window#{name}#{subject}", str(number))


def keys_of(tenant: TenantId, limit: Limit, subject: str, now_us: int) -> list[Key]:
    """Return where all stands that is known of a limit: of a window also the one before it."""
    if isinstance(limit, Bucket):
        return [bucket_key(tenant, limit.name, subject)]
    number = limit.number_at(now_us)
    return [window_key(tenant, limit.name, subject, each) for each in (number, number - 1)]


def lease_partition(tenant: TenantId, name: str) -> str:
    return f"t#{tenant}#lease#{name}"


def slot_key(tenant: TenantId, name: str, slot: int) -> Key:
    return _key(lease_partition(tenant, name), f"{SLOT_PREFIX}{slot}")


def _key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}
