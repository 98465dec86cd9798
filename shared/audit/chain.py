"""The hash chain of one tenant's audit log: every line's hash covers the line and all lines before it (T7).

`hash_n = SHA-256(hash_{n-1} ‖ line_n)`, sequence numbers count from 1, and `hash_0` is made of the tenant's id, so that
no tenant's log passes for another's. Lines are sealed in blocks of up to `MOST_EVENTS`, and the head says which is the
last one. Source: Schneier and Kelsey, "Secure Audit Logs to Support Computer Forensics", ACM TISSEC 1999.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.audit.events import AuditEvent, canonical_line
from shared.kernel.ids import TenantId

MOST_EVENTS: Final = 90
"""Events in a block: with block, head and their marks they stay below the 100 actions of a DynamoDB transaction."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the chain: the hash (32 bytes) of line `seq`; of 0 when there is no line before."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines, sealed together: `lines[0]` has number `first_seq`. Hashes are of 32 bytes.

    `previous_hash` is that of the line before the block, `last_hash` that of its last line. `lines` are empty where
    what is stored for them is not what was written. Nothing here is checked: whoever trusts a block verifies it.
    """

    tenant: TenantId
    first_seq: int
    last_seq: int
    previous_hash: bytes
    last_hash: bytes
    lines: tuple[bytes, ...]

    @property
    def end(self) -> Link:
        """The place of its last line."""
        return Link(self.last_seq, self.last_hash)


@dataclass(frozen=True, slots=True)
class UnreadableBlock:
    """Something that stands where a block should, and is none. `first_seq` is where; None: its key does not say."""

    first_seq: int | None


def genesis(tenant: TenantId) -> Link:
    """Return the place before the first line of a tenant's log."""
    return Link(0, hashlib.sha256(b"tessera audit log of " + tenant.encode()).digest())


def line_hash(previous: bytes, line: bytes) -> bytes:
    """Return the hash of `line` behind the line whose hash is `previous`."""
    return hashlib.sha256(previous + line).digest()


def line_hashes(previous: bytes, lines: Iterable[bytes]) -> list[bytes]:
    """Return the hash of each of `lines` behind the line whose hash is `previous`."""
    hashes = []
    for line in lines:
        previous = line_hash(previous, line)
        hashes.append(previous)
    return hashes


def make_block(tenant: TenantId, after: Link, events: Sequence[AuditEvent]) -> Block:
    """Return the block that seals `events` (at least one) in their order, behind `after`."""
    lines = tuple(canonical_line(after.seq + place, event) for place, event in enumerate(events, start=1))
    return Block(
        tenant=tenant,
        first_seq=after.seq + 1,
        last_seq=after.seq + len(lines),
        previous_hash=after.hash,
        last_hash=line_hashes(after.hash, lines)[-1],
        lines=lines,
    )
