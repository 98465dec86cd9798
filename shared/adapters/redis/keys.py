"""Keys in Redis, all of them. The tenant stands in braces, so that a cluster keeps a tenant's keys together.

    tessera:{<tenant>}:bucket:<name>:<subject>     when a token bucket is full again, in microseconds since 1970
    tessera:{<tenant>}:window:<name>:<subject>     hash: number n of the window, u used in it, p used in the one before

A tenant's name is quoted, so none can write the key of another. Names of nobody, which no tenant can have, are whose
requests without credentials are counted under.
"""

from collections.abc import Collection
from fnmatch import fnmatchcase
from urllib.parse import quote

from shared.kernel.ids import TenantId
from shared.kernel.tenants import admitted
from shared.limits.admission import Limit
from shared.limits.rules import Bucket


class KeySpace:
    """The keys that one function may name: of whom it works for, and of the names of nobody that it declares."""

    def __init__(self, names_of_nobody: Collection[str] = ()) -> None:
        """`names_of_nobody` are patterns, `*` standing for anything."""
        self._names_of_nobody = tuple(names_of_nobody)

    def prefix(self, tenant: TenantId) -> str:
        """Return what all keys of `tenant` begin with. Raises: TenantContextError."""
        if any(fnmatchcase(tenant, pattern) for pattern in self._names_of_nobody):
            return _prefix(tenant)
        return _prefix(admitted(tenant))


def limit_key(prefix: str, limit: Limit, subject: str) -> str:
    """Return the key of one limit below a prefix."""
    kind = "bucket" if isinstance(limit, Bucket) else "window"
    return f"{prefix}:{kind}:{limit.name}:{subject}"


def _prefix(name: str) -> str:
    return f"tessera:{{{quote(name, safe='')}}}"
