"""A stored audit log, verified part by part: each part takes bounded time, and says where the next one begins."""

from dataclasses import dataclass, replace
from typing import Final

from shared.audit.chain import Link, genesis
from shared.audit.ports import Anchors, StoredLog, UnreadableBlockError
from shared.audit.verification import UNREADABLE_HEAD, ChainVerifier, Finding, Progress
from shared.kernel.ids import TenantId

PART: Final = 200
"""Blocks in one part: up to 18,000 events, about a second with reading."""

MOST_FINDINGS: Final = 1_000
"""Whoever finds so much has seen enough."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at: lines `first_seq` to `last_seq` (one less when there are none), and what was found in them.

    `end` is the last line that was followed. `following` is where the next part begins; None: this was the end.
    """

    first_seq: int
    last_seq: int
    events: int
    findings: tuple[Finding, ...]
    end: Link
    following: Progress | None


class LogVerification:
    """Verifies the audit logs of tenants against their heads and their anchors."""

    def __init__(self, stored: StoredLog, anchors: Anchors) -> None:
        self._stored = stored
        self._anchors = anchors

    async def verify_part(self, tenant: TenantId, start: Progress | None = None, most_blocks: int = PART) -> Verified:
        """Verify up to `most_blocks` blocks behind `start` (None: from the beginning)."""
        begin = start or Progress.at(genesis(tenant))
        # Before the blocks: what is anchored then must be among them, however fast others go on sealing.
        anchors = await self._some_anchors(tenant, begin.place.seq, most_blocks + 1)
        verifier = ChainVerifier(tenant, begin, anchors)
        left = most_blocks
        while left > 0:
            head = await self._head(tenant)
            left -= await self._follow(tenant, verifier, left)
            if left > 0 and await self._has_ended(tenant, verifier, head):
                return _verified(begin, verifier, following=None)
        return _verified(begin, verifier, following=verifier.progress)

    async def verify_all(self, tenant: TenantId, start: Progress | None, most_parts: int) -> Verified:
        """Verify part after part, up to `most_parts` of them, unless more than `MOST_FINDINGS` findings end it."""
        whole = await self.verify_part(tenant, start)
        for _ in range(most_parts - 1):
            if whole.following is None or len(whole.findings) > MOST_FINDINGS:
                break
            part = await self.verify_part(tenant, whole.following)
            whole = replace(
                part,
                first_seq=whole.first_seq,
                events=whole.events + part.events,
                findings=whole.findings + part.findings,
            )
        return whole

    async def _follow(self, tenant: TenantId, verifier: ChainVerifier, most_blocks: int) -> int:
        stored = await self._stored.stored_after(tenant, verifier.progress.place.seq, most_blocks)
        for one in stored:
            verifier.take(one)
        return len(stored)

    async def _has_ended(self, tenant: TenantId, verifier: ChainVerifier, head: Link | None) -> bool:
        """Answer whether the end was reached, and compare it with the head; False: somebody is just sealing.

        `head` was read before the last blocks, so what it tells of must be among them; they may go on behind it.
        """
        place = verifier.progress.place
        if place.seq > _seq_of(head):
            head = await self._head(tenant)
            if _seq_of(head) > place.seq:
                return False
        verifier.finish(head)
        return True

    async def _head(self, tenant: TenantId) -> Link | None:
        try:
            return await self._stored.head(tenant)
        except UnreadableBlockError:
            return UNREADABLE_HEAD

    async def _some_anchors(self, tenant: TenantId, seq: int, limit: int) -> list[Link]:
        found: list[Link] = []
        async for anchor in self._anchors.anchors_after(tenant, seq):
            found.append(anchor)
            if len(found) == limit:
                break
        return found


def _seq_of(head: Link | None) -> int:
    return 0 if head is None else head.seq


def _verified(begin: Progress, verifier: ChainVerifier, following: Progress | None) -> Verified:
    end = verifier.progress.place
    return Verified(
        first_seq=begin.place.seq + 1,
        last_seq=end.seq,
        events=verifier.events,
        findings=tuple(verifier.findings),
        end=end,
        # Where nothing can be read there is no next part either.
        following=following if end.seq > begin.place.seq else None,
    )
