"""Keys in Redis, all of them. The tenant stands in braces, so that a cluster keeps a tenant's keys together.

    tessera:{<tenant>}:bucket:<name>:<subject>     when a token bucket is full again, in microseconds since 1970
    tessera:{<tenant>}:window:<name>:<subject>     hash: number n of the window, u used in it, p used in the one before

A tenant's name is quoted, so none can write the key of another.
"""

from urllib.parse import quote

from shared.kernel.ids import TenantId
from shared.limits.admission import Limit
from shared.limits.rules import Bucket


def limit_key(tenant: TenantId, limit: Limit, subject: str) -> str:
    kind = "bucket" if isinstance(limit, Bucket) else "window"
    return f"{_prefix(tenant)}:{kind}:{limit.name}:{subject}"


def _prefix(tenant: TenantId) -> str:
    return f"tessera:{{{quote(tenant, safe='')}}}"
