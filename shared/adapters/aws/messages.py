"""Whose a message, an event or a sealed value is, read from a call's parameters before anything is sent (T5).

What we send names its tenant, since whoever receives it works for that tenant without asking again who sent it. What
KMS seals names it in the encryption context, without which it does not open.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.kernel.ids import TenantId
from shared.kernel.tenants import TenantContextError, is_tenant_name

TENANT: Final = "tenant"
"""The field of messages and events, and of encryption contexts, that names whose they are."""

_KEYS: Final = "keys"
"""The field of a message about objects, each of which lies under its tenant's prefix."""
_OBJECTS: Final = "t/"
_GROUP: Final = "MessageGroupId"
"""Whose turn a message takes in a queue: a tenant's own."""

_MESSAGES: Final = frozenset({"SendMessage", "SendMessageBatch"})


def tenants_of_messages(operation: str, params: Mapping[str, Any]) -> set[TenantId]:
    """Return whose the messages are that a call to SQS sends; none for a call that sends none.

    Raises: TenantContextError for a message that does not say so.
    """
    if operation not in _MESSAGES:
        return set()
    return {tenant for entry in params.get("Entries", [params]) for tenant in _named_in(entry)}


def tenants_of_events(params: Mapping[str, Any]) -> set[TenantId]:
    """Return whose the events are that a call to EventBridge publishes. Raises: TenantContextError as above."""
    return {tenant for entry in params["Entries"] for tenant in _named(entry.get("Detail", ""))}


def tenant_of_sealed(params: Mapping[str, Any]) -> TenantId:
    """Return whose a value is that a call has KMS seal or open. Raises: TenantContextError where none is named."""
    return _checked(params.get("EncryptionContext", {}).get(TENANT))


def _named_in(entry: Mapping[str, Any]) -> Iterator[TenantId]:
    yield from _named(entry["MessageBody"])
    if _GROUP in entry:
        yield _checked(entry[_GROUP])


def _named(text: str) -> Iterator[TenantId]:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    fields = told if isinstance(told, dict) else {}
    if fields.get(_KEYS) and TENANT not in fields:
        yield from map(_of_object, fields[_KEYS])
    else:
        yield _checked(fields.get(TENANT))


def _of_object(key: object) -> TenantId:
    prefix, _, _ = str(key).removeprefix(_OBJECTS).partition("/")
    return _checked(prefix if str(key).startswith(_OBJECTS) else None)


def _checked(name: object) -> TenantId:
    if not isinstance(name, str) or not is_tenant_name(name):
        raise TenantContextError("Something is sent or sealed that does not say whose it is.")
    return TenantId(name)
