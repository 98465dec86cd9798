"""One audited act: who did what to which resource, when, from where, and how it ended (T7). Never any content.

The canonical form is one line of JSON: keys in order, no spaces, ASCII only, moments in UTC with six decimals. Equal
events have equal bytes; what is sealed, exported and hashed is that line with the event's sequence number in it.
"""

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NewType
from urllib.parse import quote

from shared.kernel.ids import TenantId, new_id

AuditEventId = NewType("AuditEventId", str)
"""`aud_…`; string order is time order."""

DONE: Final = "done"
"""The outcome of a write: it stands in the same transaction as its effect."""

ADMITTED: Final = "admitted"
"""The outcome of an access that was let in; one that then fails leaves a further event with the problem's code."""

LONGEST: Final = {
    "event_id": 64,
    "tenant": 128,
    "actor": 128,
    "role": 64,
    "key_id": 64,
    "operation": 64,
    "resource": 512,
    "outcome": 64,
    "ip": 64,
    "request_id": 128,
}
"""Characters of each text at most, so that a block of events has a largest size."""

_SEQUENCE: Final = "seq"


class EventKind(StrEnum):
    """What an act was to the data."""

    WRITE = "write"
    ACCESS = "access"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One act, or one step of it: several events of one request have the same `request_id` and rising `step`.

    `actor` is a user's id or the name of nobody in particular. `operation` is an operation's id, `resource` the path of
    ids as its route names them, such as `knowledge-bases/kb_…/documents/doc_…`; empty where nothing is named. `outcome`
    is `done`, `admitted`, or the code of the problem that was answered. All texts are printable ASCII, not longer than
    `LONGEST` says. Raises: ValueError when one is not; `new_event` makes them so.
    """

    event_id: AuditEventId
    tenant: TenantId
    at: datetime
    actor: str
    role: str | None
    key_id: str | None
    operation: str
    resource: str
    kind: EventKind
    outcome: str
    ip: str | None
    request_id: str
    step: int

    def __post_init__(self) -> None:
        for name, most in LONGEST.items():
            value = getattr(self, name)
            if value is not None and (len(value) > most or not _is_plain(value)):
                raise ValueError(f"An event's {name} is printable ASCII of at most {most} characters.")
        if self.at.utcoffset() is None or self.step < 0:
            raise ValueError("An event's moment is aware, and its steps are counted from 0.")


def new_event(
    *,
    tenant: TenantId,
    at: datetime,
    actor: str,
    operation: str,
    resource: str,
    kind: EventKind,
    outcome: str,
    request_id: str,
    step: int = 0,
    role: str | None = None,
    key_id: str | None = None,
    ip: str | None = None,
) -> AuditEvent:
    """Return an event with an id of its own.

    What comes from outside is written harmlessly, never refused: characters beyond printable ASCII percent-encoded, and
    no more of it than `LONGEST` says.
    """
    return AuditEvent(
        event_id=AuditEventId(new_id("aud", at)),
        tenant=tenant,
        at=at,
        actor=_plain("actor", actor),
        role=None if role is None else _plain("role", role),
        key_id=None if key_id is None else _plain("key_id", key_id),
        operation=operation,
        resource=_plain("resource", resource),
        kind=kind,
        outcome=_plain("outcome", outcome),
        ip=None if ip is None else _plain("ip", ip),
        request_id=_plain("request_id", request_id),
        step=step,
    )


def canonical(event: AuditEvent) -> str:
    """Return the canonical form of an event that has no sequence number yet."""
    return _write(_facts(event))


def canonical_line(seq: int, event: AuditEvent) -> bytes:
    """Return the canonical form of an event with its sequence number: what is hashed; it holds no line break."""
    return _write({**_facts(event), _SEQUENCE: seq}).encode("ascii")


def read_event(text: str) -> AuditEvent:
    """Return the event that `canonical` wrote. Raises: ValueError."""
    return _event_of(_read(text))


def read_line(line: bytes) -> tuple[int, AuditEvent]:
    """Return sequence number and event of what `canonical_line` wrote. Raises: ValueError, also for other spellings."""
    facts = _read(line.decode("ascii"))
    seq = facts.pop(_SEQUENCE, None)
    event = _event_of(facts)
    if not isinstance(seq, int) or canonical_line(seq, event) != line:
        raise ValueError("This is no line of an audit log in its canonical form.")
    return seq, event


def _facts(event: AuditEvent) -> dict[str, Any]:
    facts: dict[str, Any] = {field.name: getattr(event, field.name) for field in fields(event)}
    facts["at"] = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return facts


def _event_of(facts: dict[str, Any]) -> AuditEvent:
    try:
        at = datetime.strptime(facts["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        return AuditEvent(**{**facts, "at": at, "kind": EventKind(facts["kind"])})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"This is no audit event: {error}") from error


def _write(facts: dict[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def _read(text: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except RecursionError as error:
        raise ValueError("An audit event is not that deep.") from error
    if not isinstance(facts, dict):
        raise ValueError("An audit event is an object.")  # noqa: TRY004 - of a text's form, not of an argument's type
    return facts


def _plain(name: str, value: str) -> str:
    # Cut twice: encoding may be long work for a long text, and makes it longer.
    short = value[: LONGEST[name]]
    if not _is_plain(short):
        short = "".join(one if _is_plain(one) else quote(one, safe="", errors="surrogatepass") for one in short)
    return short[: LONGEST[name]]


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable()
