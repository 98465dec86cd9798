"""Making, publishing and removing signing keys: a schedule that may be late, doubled, or die at any point (T2)."""

from dataclasses import dataclass

from shared.identity.signing_keys import KeyMaker, KeySafe, PublishedKeys
from shared.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class Rotation:
    """What one run did."""

    made: int = 0
    removed: int = 0


class KeyRotation:
    """Brings the ring to where it should be now.

    A key is published before its private half is stored, and signs only when both are there: whatever happens between
    the two writes, no token names a key that is not published. The publication is conditional on the ring that was
    read, and no other run touches the safe while a change may be under way; so of several runs at once one acts, and a
    key whose maker died is replaced by a later run.
    """

    def __init__(self, published: PublishedKeys, safe: KeySafe, maker: KeyMaker, clock: Clock) -> None:
        self._published = published
        self._safe = safe
        self._maker = maker
        self._clock = clock

    async def rotate(self) -> Rotation:
        """Make the key that is due, if one is; remove keys that are finished; do nothing while another run does."""
        now = self._clock.now()
        ring = await self._published.ring()
        if ring.is_changing(now):
            return Rotation()
        private = await self._safe.private_keys()
        kept = ring.without_finished(private, now)
        made = await self._maker.make() if kept.is_due(private, now) else None
        after = kept if made is None else kept.with_key(made, now)
        known = {**private, made.key_id: made.private} if made is not None else private
        stored = {key.key_id: known[key.key_id] for key in after.keys}
        if after.keys == ring.keys and stored == private:
            return Rotation()
        if not await self._published.publish(after, now):
            return Rotation()
        if stored != private:
            await self._safe.replace(stored)
        return Rotation(made=int(made is not None), removed=len(ring.keys) - len(kept.keys))
