"""Anchoring: the heads of chains, kept where whoever can rewrite a chain cannot reach (T7).

Who may write the table could make a whole chain anew, with all its hashes. What was anchored before then differs, or
lies behind the new end, and no later anchor can undo that.
"""

import random
from collections.abc import Callable

from shared.audit.heads import HeadReader
from shared.audit.ports import AnchorStore, ChainEnd, UnanchoredHeads
from shared.kernel.ids import TenantId


class Anchoring:
    """Anchors the heads that have moved."""

    def __init__(
        self,
        heads: UnanchoredHeads,
        chain: ChainEnd,
        anchors: AnchorStore,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._heads = heads
        self._reader = HeadReader(chain, jitter)
        self._anchors = anchors

    async def tenants_unanchored(self) -> list[TenantId]:
        """Return tenants whose heads have moved since their last anchor: some of them, where there are many."""
        return await self._heads.unanchored()

    async def anchor(self, tenant: TenantId) -> None:
        """Anchor the head of a tenant; doing it twice changes nothing.

        A head that somebody changed is none to keep for good. Raises: DamagedHeadError, UnreadableBlockError.
        """
        head = await self._reader.place(tenant)
        if head.seq == 0:
            return
        await self._anchors.anchor(tenant, head)
        await self._heads.mark_anchored(tenant, head)
