"""Keys of the table of limits, all of them. The tenant leads every partition key (invariant 4).

    pk                                    sk
    t#<tenant>#bucket#<name>#<subject>    bucket          full_at: when the bucket is full again, in microseconds
    t#<tenant>#window#<name>#<subject>    <number>        used: what was used in that window

Every limit is a partition of its own, so that no tenant has a hot one for all.
"""

from typing import Any

from shared.kernel.ids import TenantId
from shared.limits.admission import Limit
from shared.limits.rules import Bucket

Key = dict[str, Any]

BUCKET = "bucket"


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


def _key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}
