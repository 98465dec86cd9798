"""What may be written without an audit event, all of it, each with its reason; anything else is refused (T7).

The check sits in the clients, before anything is sent, in every environment: a write that somebody forgot to tell of
fails in its first test.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

METADATA: Final = "metadata"
IDENTITY: Final = "identity"
AUDIT: Final = "audit"
"""The tables by the names of their resources, which adapters do not know; a test compares them."""

PENDING_PREFIX: Final = "pending#"

NOTE_USE: Final = "SET last_used_at = :now"
"""How the use of an API key is noted."""

REHASH: Final = "SET #record.password_hash = :hash"
"""How the same password is hashed anew."""


class UnauditedWriteError(Exception):
    """Something was about to be written that no event tells of: a programming error."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Items that need no event: by table, by the shape of both keys, and if given by how they are changed.

    `in_progress` are those only that `Transactions.keep` writes.
    """

    table: str
    partition: str
    sort: str
    reason: str
    expression: str | None = None
    in_progress: bool = False


RULES: Final = (
    Rule(METADATA, r"t#[^#]+(#kb#.+)?", r"(kb#|doc#|hash#).+", "Work moves on by itself.", in_progress=True),
    Rule(METADATA, r"t#[^#]+(#kb#.+)?", "tally|line", "Counts what such work moves.", in_progress=True),
    Rule(METADATA, r"t#[^#]+#line", ".+", "A place in the waiting line.", in_progress=True),
    Rule(METADATA, r"t#[^#]+", "request#.+", "What the same request gets when it is sent again."),
    Rule(IDENTITY, r"t#[^#]+", "request#.+", "What the same request gets when it is sent again."),
    Rule(IDENTITY, r"t#[^#]+", "event#.+", "Tells what happened by itself: a security event."),
    Rule(IDENTITY, r"t#[^#]+", "key#.+", "When a key was used last; its requests are told of.", NOTE_USE),
    Rule(IDENTITY, "user#.+", "user", "The same password, hashed at today's cost.", REHASH),
    Rule(IDENTITY, "email#.+", "guesses", "Wrong passwords: of nobody that is recognised."),
    Rule(IDENTITY, "oidc#.+", "sign-in", "A sign-in under way: of nobody that is recognised yet."),
    Rule(IDENTITY, "keys", "jwks", "The deployment's public keys: no tenant's."),
)

_TOLD_OF: Final = frozenset({METADATA, IDENTITY})
_progressing: ContextVar[bool] = ContextVar("progressing", default=False)


@dataclass(frozen=True, slots=True)
class Written:
    """One item about to be written; `expression` is how, for an update."""

    table: str
    partition: str
    sort: str
    expression: str | None


@contextmanager
def progressing() -> Iterator[None]:
    """Let work of the pipeline be written that moves on by itself: for `Transactions.keep` alone."""
    token = _progressing.set(True)
    try:
        yield
    finally:
        _progressing.reset(token)


def check_told(operation: str, params: Mapping[str, Any], name_of: Callable[[str], str | None]) -> None:
    """Look at one request to DynamoDB; `name_of` says which resource a table is.

    Raises: UnauditedWriteError when it writes a record without an event in the log of the record's tenant.
    """
    written = list(_written(operation, params, name_of))
    logs = {item.partition for item in written if item.table == AUDIT and item.sort.startswith(PENDING_PREFIX)}
    for item in written:
        if item.table in _TOLD_OF and not _is_told(item, logs) and not _is_bookkeeping(item):
            raise UnauditedWriteError(f"Nothing tells of {operation} on {item.table}: {item.partition} {item.sort}")


def _is_told(item: Written, logs: set[str]) -> bool:
    if not item.partition.startswith("t#"):
        return bool(logs)
    tenant = "#".join(item.partition.split("#")[:2])
    return tenant in logs


def _is_bookkeeping(item: Written) -> bool:
    return any(
        rule.table == item.table
        and re.fullmatch(rule.partition, item.partition, re.DOTALL)
        and re.fullmatch(rule.sort, item.sort, re.DOTALL)
        and rule.expression in (None, item.expression)
        and (not rule.in_progress or _progressing.get())
        for rule in RULES
    )


def _written(
    operation: str, params: Mapping[str, Any], name_of: Callable[[str], str | None]
) -> Iterator[Written]:  # fmt: skip
    match operation:
        case "PutItem":
            yield _item(params, params["Item"], name_of)
        case "UpdateItem" | "DeleteItem":
            yield _item(params, params["Key"], name_of)
        case "TransactWriteItems":
            for action in params["TransactItems"]:
                for verb, part in action.items():
                    if verb != "ConditionCheck":
                        yield _item(part, part["Item"] if verb == "Put" else part["Key"], name_of)
        case "BatchWriteItem":
            for table, requests in params["RequestItems"].items():
                for request in requests:
                    for verb, part in request.items():
                        yield _item({"TableName": table}, part["Item" if verb == "PutRequest" else "Key"], name_of)


def _item(part: Mapping[str, Any], keys: Mapping[str, Any], name_of: Callable[[str], str | None]) -> Written:
    name = name_of(part["TableName"])
    if name not in (*_TOLD_OF, AUDIT):
        return Written(name or "", "", "", None)
    return Written(name, keys["pk"]["S"], keys["sk"]["S"], part.get("UpdateExpression"))
