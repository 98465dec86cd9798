"""What a function may do to tenants' data, from its declaration: for its roles, its sessions and its own guard.

Tables and buckets hold tenants' data. A function's own role reaches none of it, only partitions that belong to no
tenant and what secondary indexes bring together of several; for the rest there is a second role, which the function
assumes for one tenant at a time.
Sources: IAM User Guide, "Conditions with multiple context keys or values" and "Session policies"; DynamoDB Developer
Guide, "Using IAM policy conditions for fine-grained access control".
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from shared.kernel.ids import TenantId
from shared.kernel.tenants import TENANT_NAME, TenantContextError, current_tenant_context, is_tenant_name
from shared.operations.capabilities import QUERY, Bucket, Capability, Index, Resource, Table

TENANT_ROLE: Final = "TESSERA_TENANT_ROLE"
"""The environment variable that carries the ARN of the role which a function assumes for one tenant at a time."""

SESSION_POLICY_CHARACTERS: Final = 2_048
"""STS takes no longer session policy."""

_PARTITION: Final = re.compile(rf"t#({TENANT_NAME})(?:#.*)?", re.DOTALL)
_OBJECT: Final = re.compile(rf"t/({TENANT_NAME})/.*", re.DOTALL)
_ANY: Final = "*"
_FOR_ALL: Final = "ForAllValues:StringLike"
_LEADING_KEYS: Final = "dynamodb:LeadingKeys"

_KEY_USE: Final[Mapping[str, Any]] = {
    "Effect": "Allow",
    "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
    "Resource": "*",
    "Condition": {"StringLike": {"kms:ViaService": ["dynamodb.*", "s3.*"]}},
}
"""Allows nothing by itself, for no role does: the data key's own policy does, and a session may hold that back."""

ArnOf = Callable[[Resource], str]
"""Return the ARN of a table or bucket itself."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One permission: all of `actions` on each of `arns`, under `conditions`."""

    actions: tuple[str, ...]
    arns: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]]


def holds_tenant_data(resource: Resource) -> bool:
    return isinstance(resource, Table | Bucket)


def reaches_tenant_data(capabilities: Iterable[Capability]) -> bool:
    """Answer whether a function needs sessions for tenants."""
    return any(_is_of_a_tenant(use) for use in capabilities)


def shared_statements(capabilities: Iterable[Capability], arn_of: ArnOf) -> list[Statement]:
    """Return what a function's own role may do to tables.

    These are the partitions of no tenant that it declares, and secondary indexes that it reads for several tenants.
    """
    patterns: dict[tuple[str, str], set[str]] = {}
    indexes = []
    for use in capabilities:
        for action in use.actions if use.partitions else ():
            patterns.setdefault((arn_of(use.resource), action), set()).update(use.partitions)
        indexes += [
            Statement((action,), (_arn_of_index(use.resource, index, arn_of),), {})
            for index, action in _uses_of_indexes(use)
            if not _is_in_session(index, action)
        ]
    return _merged([*_on_partitions(patterns), *indexes])


def tenant_statements(
    capabilities: Collection[Capability], arn_of: ArnOf, tenant: TenantId | None = None
) -> list[Statement]:
    """Return what may be done for `tenant`; with None for any one tenant, which is what the role to assume allows.

    Partitions of no tenant that the function declares are among it, for a transaction is signed once. Raises:
    TenantContextError for what is no tenant's name: it would mean something else in a policy.
    """
    if tenant is not None and not is_tenant_name(tenant):
        raise TenantContextError("No tenant has such a name.")
    name = _ANY if tenant is None else tenant
    own = (f"t#{name}",) if tenant is None else (f"t#{name}", f"t#{name}#*")
    patterns: dict[tuple[str, str], set[str]] = {}
    for use in capabilities:
        for action in use.actions if isinstance(use.resource, Table) else ():
            patterns.setdefault((arn_of(use.resource), action), set()).update(use.partitions or own)
        for index, action in _uses_of_indexes(use):
            if _is_in_session(index, action):
                patterns.setdefault((_arn_of_index(use.resource, index, arn_of), action), set()).update(own)
    statements = _on_partitions(patterns)
    for use in capabilities:
        if isinstance(use.resource, Bucket):
            arn = arn_of(use.resource)
            listing = {"StringLike": {"s3:prefix": [f"t/{name}/*"]}}
            statements += [Statement((action,), (arn,), listing) for action in use.actions]
            statements += [Statement((action,), (f"{arn}/t/{name}/*",), {}) for action in use.actions_within]
    return _merged(statements)


def session_policy(capabilities: Collection[Capability], arn_of: ArnOf, tenant: TenantId) -> str:
    """Return the policy of one session, as text without a space too many. Raises: TenantContextError.

    It says whom the session reaches; what on which table, with which actions, the role says. So all tables on which
    partitions of nobody are reached, too, stand in one statement, and all others in another: short enough for STS.
    """
    statements = [
        {
            "Effect": "Allow",
            "Action": one.actions,
            "Resource": one.arns,
            **({"Condition": one.conditions} if one.conditions else {}),
        }
        for one in _grouped(_with_all_of_nobody(tenant_statements(capabilities, arn_of, tenant)))
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements, _KEY_USE]}, separators=(",", ":"))


class TenantRules:
    """The same rules inside the process, for what a call is about to name: no emulator has to enforce IAM."""

    def __init__(self, capabilities: Iterable[Capability]) -> None:
        self._uses = frozenset(use for use in capabilities if holds_tenant_data(use.resource))

    def tenant_of_partitions(self, resource: str, action: str, keys: Collection[str]) -> TenantId | None:
        """Return the one tenant in whose partitions `keys` lie; None when all are partitions of no tenant.

        Raises: TenantContextError unless the invocation works for that tenant, for a call that names no partition, and
        for partitions that the operation does not declare.
        """
        uses = [use for use in self._uses if use.resource.name == resource and action in use.actions]
        patterns = [pattern for use in uses for pattern in use.partitions]
        tenants = set()
        for key in keys:
            found = _PARTITION.fullmatch(key)
            if found is not None and any(_is_of_a_tenant(use) for use in uses):
                tenants.add(TenantId(found[1]))
            elif not any(fnmatchcase(key, pattern) for pattern in patterns):
                raise TenantContextError(f"{action} on {resource} reaches a partition that no capability declares.")
        if not keys:
            raise TenantContextError(f"{action} on {resource} names no partition.")
        return _admitted(tenants, action, resource) if tenants else None

    def tenant_of_objects(self, resource: str, action: str, keys: Collection[str]) -> TenantId:
        """Return the one tenant under whose prefix `keys` lie; without keys it is the one that is worked for.

        Raises: TenantContextError as above.
        """
        found = [_OBJECT.fullmatch(key) for key in keys]
        tenants = {TenantId(match[1]) for match in found if match is not None}
        if None in found:
            raise TenantContextError(f"{action} on {resource} reaches beyond the prefixes of tenants.")
        if not keys and (tenant := current_tenant_context().tenant) is not None:
            tenants = {tenant}
        return _admitted(tenants, action, resource)

    def tenant_of_index(self, resource: str, action: str, index: str, keys: Collection[str]) -> TenantId | None:
        """Return the one tenant in whose partitions of a secondary index `keys` lie; None for what is of several.

        Raises: TenantContextError as above, and when no declared capability reads the table's indexes like that.
        """
        uses = [one for use in self._uses if use.resource.name == resource for one in _uses_of_indexes(use)]
        declared = [found for found, known in uses if (found.name, known) == (index, action)]
        if not declared:
            raise TenantContextError(f"{action} on an index of {resource} is not declared.")
        if not _is_in_session(declared[0], action):
            return None
        found = [_PARTITION.fullmatch(key) for key in keys]
        if None in found or not found:
            raise TenantContextError(f"{action} on an index of {resource} names no tenant's partition.")
        return _admitted({TenantId(match[1]) for match in found if match is not None}, action, resource)


def _admitted(tenants: Collection[TenantId], action: str, resource: str) -> TenantId:
    context = current_tenant_context()
    if len(tenants) != 1:
        raise TenantContextError(f"{action} on {resource} reaches {len(tenants)} tenants at once.")
    (tenant,) = tenants
    if not context.admits(tenant):
        raise TenantContextError(f"{action} on {resource} reaches another tenant than the one that is worked for.")
    return tenant


def _is_of_a_tenant(use: Capability) -> bool:
    match use.resource:
        case Table():
            in_session = any(_is_in_session(*one) for one in _uses_of_indexes(use))
            return in_session or (bool(use.actions) and not use.partitions)
        case Bucket():
            return True
        case _:
            return False


def _uses_of_indexes(use: Capability) -> list[tuple[Index, str]]:
    """Return each secondary index that a capability reads, with each action."""
    if not isinstance(use.resource, Table):
        return []
    return [(index, action) for index in use.resource.indexes for action in use.actions_within]


def _is_in_session(index: Index, action: str) -> bool:
    """Answer whether this is asked for one tenant; to read an index through is to look for tenants."""
    return index.leads_with_tenant and action == QUERY


def _arn_of_index(resource: Resource, index: Index, arn_of: ArnOf) -> str:
    return f"{arn_of(resource)}/index/{index.name}"


def _on_partitions(patterns: Mapping[tuple[str, str], Collection[str]]) -> list[Statement]:
    return [
        Statement(
            (action,),
            (arn,),
            {
                _FOR_ALL: {_LEADING_KEYS: sorted(allowed)},
                # For all of no values is true: a request that names no partition must have one.
                "Null": {_LEADING_KEYS: "false"},
            },
        )
        for (arn, action), allowed in patterns.items()
    ]


def _with_all_of_nobody(statements: Iterable[Statement]) -> list[Statement]:
    """Let each statement that names partitions of nobody name all that any of them names."""
    named = [(one, one.conditions.get(_FOR_ALL, {}).get(_LEADING_KEYS, ())) for one in statements]
    shared = [keys for _, keys in named if any(_PARTITION.match(key) is None for key in keys)]
    everything = sorted({key for keys in shared for key in keys})
    return [
        replace(one, conditions={**one.conditions, _FOR_ALL: {_LEADING_KEYS: everything}}) if keys in shared else one
        for one, keys in named
    ]


def _grouped(statements: Iterable[Statement]) -> list[Statement]:
    """Put together what stands under the same conditions: all of its actions on all of its addresses."""
    groups: dict[str, list[Statement]] = {}
    for one in statements:
        groups.setdefault(json.dumps(one.conditions), []).append(one)
    return [
        Statement(
            tuple(sorted({action for one in group for action in one.actions})),
            tuple(dict.fromkeys(arn for one in group for arn in one.arns)),
            group[0].conditions,
        )
        for group in groups.values()
    ]


def _merged(statements: Iterable[Statement]) -> list[Statement]:
    """Say the same in fewer statements: actions on the same under the same, then what the same is allowed on."""
    actions: dict[tuple[tuple[str, ...], str], tuple[set[str], Statement]] = {}
    for one in statements:
        found, _ = actions.setdefault((one.arns, json.dumps(one.conditions)), (set(), one))
        found.update(one.actions)
    arns: dict[tuple[tuple[str, ...], str], tuple[list[str], Statement]] = {}
    for (addresses, conditions), (named, one) in actions.items():
        where, _ = arns.setdefault((tuple(sorted(named)), conditions), ([], one))
        where.extend(addresses)
    return [Statement(named, tuple(where), one.conditions) for (named, _), (where, one) in arns.items()]
