"""A stored audit log, verified part by part: each part takes bounded time, and says where the next one begins."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

from shared.audit.chain import MOST_EVENTS, Block, Link, genesis
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
        verifier = ChainVerifier(tenant, begin)
        anchors = _AnchorsAhead(self._anchors.anchors_after(tenant, begin.place.seq), verifier)
        left = most_blocks
        while left > 0:
            # Before the blocks: what is anchored then must be among them, however fast others go on sealing.
            await anchors.look_beyond(verifier.progress.place.seq)
            known = anchors.last_seq
            head = await self._head(tenant)
            left -= await self._follow(tenant, verifier, anchors, left)
            if anchors.last_seq > max(known, verifier.progress.place.seq):
                continue  # this anchor was read after the blocks: what it is of may have come up since
            if left > 0 and await self._has_ended(tenant, verifier, anchors, head):
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

    async def _follow(
        self, tenant: TenantId, verifier: ChainVerifier, anchors: "_AnchorsAhead", most_blocks: int
    ) -> int:
        stored = await self._stored.stored_after(tenant, verifier.progress.place.seq, most_blocks)
        for one in stored:
            if isinstance(one, Block):
                await anchors.look_beyond(one.first_seq + MOST_EVENTS)
            verifier.take(one)
        return len(stored)

    async def _has_ended(
        self, tenant: TenantId, verifier: ChainVerifier, anchors: "_AnchorsAhead", head: Link | None
    ) -> bool:
        """Answer whether the end was reached, and compare it with the head; False: somebody is just sealing.

        `head` was read before the last blocks, so what it tells of must be among them; they may go on behind it.
        """
        place = verifier.progress.place
        if place.seq > _seq_of(head):
            head = await self._head(tenant)
            if _seq_of(head) > place.seq:
                return False
        # If any anchor tells of lines that are gone, so do those behind it.
        await anchors.look_beyond(place.seq + PART * MOST_EVENTS)
        verifier.finish(head)
        return True

    async def _head(self, tenant: TenantId) -> Link | None:
        try:
            return await self._stored.head(tenant)
        except UnreadableBlockError:
            return UNREADABLE_HEAD


class _AnchorsAhead:
    """Tells a verifier of a log's anchors in time, and reads no more of them than that takes.

    None is left out for the number of those before it: true ones of any line may be added by whoever knows the log.
    """

    def __init__(self, unread: AsyncIterator[Link], verifier: ChainVerifier) -> None:
        self._unread = unread
        self._verifier = verifier
        self.last_seq = verifier.progress.place.seq

    async def look_beyond(self, seq: int) -> None:
        """Go on until an anchor lies behind line `seq`, or there are no more."""
        while self.last_seq <= seq:
            anchor = await anext(self._unread, None)
            if anchor is None:
                return
            self._verifier.expect(anchor)
            self.last_seq = anchor.seq


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
