"""Recorded calls as IAM sees them, and the same calls gone wrong: in each of these somebody else would be reached.

The tenant of a call is called `a` here, which begins the names of others.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from shared.adapters.aws.calls import Use
from tests.policies.recorder import Call
from tests.policies.simulator import Request

TENANT: Final = "a"
OTHERS: Final = ("b", "ab", "a-b", "A", "", "*", "a*")
"""Whom nobody may reach in a session of `a`; some of them are no names at all."""

LEADING_KEYS: Final = "dynamodb:LeadingKeys"
PREFIX: Final = "s3:prefix"
_IDS: Final = re.compile(r"[0-9a-z]{26}|[0-9a-f]{32,64}|(?<=@)[0-9.]+|[0-9]{12,}")
"""What differs between two calls that are the same to every policy."""
_BUCKETS: Final = ("uploads", "artifacts", "audit-archive")


def renamed(call: Call) -> Call:
    """Return the call as it would be if its tenant were called `a`, and all that has an id had the same one."""
    if call.tenant is None:
        return replace(call, uses=tuple(replace(use, keys=frozenset(map(_alike, use.keys))) for use in call.uses))
    return replace(call, tenant=TENANT, uses=_of(call, call.tenant, TENANT))


def legitimate(calls: Iterable[Call], arns: Mapping[str, str]) -> Iterator[Request]:
    """Yield each use, and of calls with several uses also what all uses of one action on one table name together.

    IAM's documentation does not say whether it looks at the items of a transaction one by one: both must be allowed.
    """
    for call in calls:
        for use in call.uses:
            yield _request(call, use, arns)
        together: dict[tuple[str, str], Use] = {}
        for use in call.uses:
            known = together.get((use.address, use.action))
            together[use.address, use.action] = use if known is None else replace(use, keys=known.keys | use.keys)
        for use in together.values():
            yield _request(call, use, arns)


def gone_wrong(calls: Iterable[Call], arns: Mapping[str, str]) -> Iterator[tuple[str, Request]]:
    """Yield requests that nobody may make in a session of tenant `a`, or in no session, and what is wrong with each."""
    for call in calls:
        for use in call.uses:
            wrong = _wrong_objects(use) if use.address in _BUCKETS else _wrong_partitions(call, use)
            for what, other in wrong:
                yield what, _request(call, other, arns)
            if use.index is not None and call.tenant is not None:
                without = _request(replace(call, tenant=None), use, arns)
                yield "a tenant's partition of an index without a session", without


def _wrong_partitions(call: Call, use: Use) -> Iterator[tuple[str, Use]]:
    if use.index is not None:
        yield from _wrong_partitions_of_index(call, use)
        return
    yield "no partition at all", replace(use, keys=frozenset())
    yield "every partition", replace(use, action="dynamodb:Scan", keys=frozenset())
    yield "PartiQL", replace(use, action="dynamodb:PartiQLSelect", keys=use.keys)
    yield "another partition of nobody's", replace(use, keys=frozenset({"t"}))
    if call.tenant is None:
        # Without a session no tenant is reached at all.
        yield "a tenant without a session", replace(use, keys=frozenset({f"t#{TENANT}"}))
        return
    own = [key for key in use.keys if _is_own(key)]
    for other in OTHERS if own else ():
        foreign = frozenset(_partition_of(other, key) for key in own)
        yield f"the partition of {other!r}", replace(use, keys=foreign)
        yield f"also the partition of {other!r}", replace(use, keys=use.keys | foreign)
    yield "an index", replace(use, action="dynamodb:Query", index="due", keys=frozenset({"due#1"}))
    yield "an index by the own key", replace(use, action="dynamodb:Query", index="tenants", keys=use.keys)


def _wrong_partitions_of_index(call: Call, use: Use) -> Iterator[tuple[str, Use]]:
    yield "an item by way of an index", replace(use, action="dynamodb:GetItem")
    yield "PartiQL on an index", replace(use, action="dynamodb:PartiQLSelect")
    if call.tenant is None:
        return
    yield "no partition of an index", replace(use, keys=frozenset())
    yield "a whole index", replace(use, action="dynamodb:Scan", keys=frozenset())
    for other in OTHERS:
        foreign = frozenset(_partition_of(other, key) for key in use.keys if _is_own(key))
        yield f"the partition of {other!r} in an index", replace(use, keys=foreign)
        yield f"also the partition of {other!r} in an index", replace(use, keys=use.keys | foreign)


def _wrong_objects(use: Use) -> Iterator[tuple[str, Use]]:
    # The simulator takes a wildcard in an address for a question about all that it stands for.
    for other in (one for one in OTHERS if "*" not in one):
        for key in use.keys or {f"t/{TENANT}/kb/x"}:
            yield f"an object of {other!r}", replace(use, keys=frozenset({f"t/{other}/{key.split('/', 2)[2]}"}))
    yield "the root", replace(use, keys=frozenset({"x"}))
    for prefix in ("", "t", "t/", f"t/{TENANT}"):
        for action in ("s3:ListBucket", "s3:ListBucketVersions"):
            yield f"a listing of {prefix!r}", replace(use, action=action, keys=frozenset({prefix}))
    yield "a listing of everything", replace(use, action="s3:ListBucket", keys=frozenset())


def _request(call: Call, use: Use, arns: Mapping[str, str]) -> Request:
    is_own_role = call.tenant is None
    role, session = ("own", None) if is_own_role else ("tenant", "session")
    names = (f"{call.operation} {role}", session and f"{call.operation} {session}")
    arn = arns[use.address]
    if use.address not in _BUCKETS:
        context = {LEADING_KEYS: sorted(use.keys)} if use.keys else {}
        return Request(*names, use.action, f"{arn}/index/{use.index}" if use.index else arn, context)
    if use.action.startswith("s3:List"):
        (prefix,) = use.keys or {None}
        return Request(*names, use.action, arn, {} if prefix is None else {PREFIX: prefix})
    # A form for an upload is signed for the tenant; its key is in the form.
    (key,) = use.keys or {f"t/{TENANT}/kb/x"}
    return Request(*names, use.action, f"{arn}/{key}")


def _of(call: Call, tenant: str, other: str) -> tuple[Use, ...]:
    def moved(key: str) -> str:
        for prefix in ("t#", "t/"):
            own = f"{prefix}{tenant}"
            if key == own or key.startswith((f"{own}#", f"{own}/")):
                return f"{prefix}{other}{_alike(key.removeprefix(own))}"
        return _alike(key)

    return tuple(replace(use, keys=frozenset(map(moved, use.keys))) for use in call.uses)


def _alike(key: str) -> str:
    return _IDS.sub("0", key)


def _is_own(key: str) -> bool:
    return key == f"t#{TENANT}" or key.startswith(f"t#{TENANT}#")


def _partition_of(other: str, key: str) -> str:
    return f"t#{other}{key.removeprefix(f't#{TENANT}')}"
