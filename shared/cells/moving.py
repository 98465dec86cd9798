"""Moving a tenant to another cell while it is used, by steps that anybody may repeat or go on with (T6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from shared.cells.comparison import compare
from shared.cells.errors import InvalidMoveError, PlacementNotFoundError
from shared.cells.gates import StaleEpochError
from shared.cells.models import CellId
from shared.cells.placements import Move, MoveState, Placement
from shared.cells.ports import MovableCells, PlacementStore
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId

PAGE: Final = 100
"""Records that one step copies, compares or erases."""


@dataclass(frozen=True, slots=True)
class TenantMover:
    """Keeps no state of its own: whoever asks next goes on where the record and the gates say.

    Two that work on the same move do the same things twice, in either order; none of it undoes the other's.
    """

    placements: PlacementStore
    cells: MovableCells
    clock: Clock
    page: int = PAGE
    stragglers: timedelta = timedelta(0)
    """How long a cell is looked at again after its tenant has gone, where a gate cannot stop whoever comes late."""

    async def plan(self, tenant: TenantId, target: CellId) -> Placement:
        """Begin a move to `target`, unless it has begun.

        Raises: PlacementNotFoundError, InvalidMoveError when another move is under way, or this one is being given up,
        or nothing would move.
        """
        placement = await self._placement(tenant)
        if placement.under_way is None:
            placement = await self._write(placement, placement.planned(target, self.clock.now()))
        if placement.under_way is None or placement.under_way.target != target:
            raise InvalidMoveError("This organisation is being moved elsewhere. Wait for the end, or abort that move.")
        if placement.under_way.state is MoveState.ABORTING:
            raise InvalidMoveError("This move is being given up. Wait for its end, then begin again.")
        return placement

    async def abort(self, tenant: TenantId) -> Placement:
        """Give up the move: the source takes writes alone again, and what was copied is erased by further steps.

        Raises: PlacementNotFoundError, InvalidMoveError without a move, or when it was switched: it must be finished.
        """
        placement = await self._placement(tenant)
        move = placement.under_way
        if move is None:
            raise InvalidMoveError("This organisation is not being moved.")
        if move.state is MoveState.ABORTING:
            return placement
        aborting = placement.stepped(MoveState.ABORTING, self.clock.now())
        gate = await self.cells.of(move.source).set_gate(tenant, move.reopened)
        if gate != move.reopened:
            raise InvalidMoveError("The other cell has taken over already. Finish the move, then move back.")
        return await self._write(placement, aborting)

    async def advance(self, tenant: TenantId) -> Placement:
        """Do the next step of the move, if there is one, and return the placement after it.

        A step may leave the move in its state, with some more records done. When the gates know more than the record,
        since somebody died between writing the one and the other, the step is to write what the gates say.

        Raises: PlacementNotFoundError, CellUnavailableError, after which the next call goes on.
        """
        placement = await self._placement(tenant)
        move = placement.under_way
        if move is None:
            return placement
        try:
            after = await self._step(placement, move)
        except StaleEpochError as refusal:
            after = placement.as_told_by(refusal.gate, self.clock.now())
        return await self._write(placement, after)

    async def _step(self, placement: Placement, move: Move) -> Placement:
        match move.state:
            case MoveState.PLANNED:
                return await self._open(placement, move)
            case MoveState.COPYING:
                return await self._copy(placement, move)
            case MoveState.DUAL_READ:
                return await self._compare(placement, move, move.mirroring.epoch, MoveState.VERIFIED)
            case MoveState.VERIFIED:
                return await self._switch(placement, move)
            case MoveState.SWITCHED:
                return await self._settle(placement, move)
            case MoveState.CLEANING:
                return await self._erase(placement, move.source, move.handed_over.epoch, MoveState.DONE)
            case _:
                await self.cells.of(move.target).set_gate(placement.tenant, move.shut)
                return await self._erase(placement, move.target, move.shut.epoch, MoveState.ABORTED)

    async def _open(self, placement: Placement, move: Move) -> Placement:
        # The target first: what the source passes on must find it open.
        await self.cells.of(move.target).set_gate(placement.tenant, move.following)
        gate = await self.cells.of(move.source).set_gate(placement.tenant, move.mirroring)
        if gate != move.mirroring:
            return placement.as_told_by(gate, self.clock.now())
        total = await self.cells.of(move.source).count(placement.tenant, gate.epoch)
        return placement.opened(total, self.clock.now())

    async def _copy(self, placement: Placement, move: Move) -> Placement:
        source = self.cells.of(move.source)
        entries = await source.entries(placement.tenant, move.position, self.page, move.mirroring.epoch)
        if not entries:
            return placement.stepped(MoveState.DUAL_READ, self.clock.now())
        await self._bring(placement, move, [entry.key for entry in entries], move.mirroring.epoch)
        return placement.progressed(entries[-1].key, len(entries), "", self.clock.now())

    async def _compare(self, placement: Placement, move: Move, source_epoch: int, equal: MoveState) -> Placement:
        """Compare some records, and bring what is behind; after the last one the move is in state `equal`."""
        tenant, before = placement.tenant, move.checksum if move.position else ""
        target_epoch = move.following.epoch
        target = self.cells.of(move.target)
        entries = await self.cells.of(move.source).entries(tenant, move.position, self.page, source_epoch)
        keys = [entry.key for entry in entries]
        if not keys:
            return replace(placement, move=replace(move, checksum=before)).stepped(equal, self.clock.now())
        comparison = compare(before, entries, await target.entries_of(tenant, keys, target_epoch))
        if comparison.behind:
            await self._bring(placement, move, comparison.behind, source_epoch)
            comparison = compare(before, entries, await target.entries_of(tenant, keys, target_epoch))
        if comparison.behind:
            return placement
        return placement.progressed(keys[-1], len(keys), comparison.checksum, self.clock.now())

    async def _switch(self, placement: Placement, move: Move) -> Placement:
        gate = await self.cells.of(move.source).set_gate(placement.tenant, move.handed_over)
        return placement.as_told_by(gate, self.clock.now())

    async def _settle(self, placement: Placement, move: Move) -> Placement:
        after = await self._compare(placement, move, move.handed_over.epoch, MoveState.CLEANING)
        if after.epoch == move.settled.epoch:
            await self.cells.of(move.target).set_gate(placement.tenant, move.settled)
        return after

    async def _erase(self, placement: Placement, cell_id: CellId, epoch: int, done: MoveState) -> Placement:
        cell = self.cells.of(cell_id)
        entries = await cell.entries(placement.tenant, "", self.page, epoch)
        if entries:
            await cell.remove(placement.tenant, [entry.key for entry in entries], epoch)
            return placement.erased(len(entries))
        now = self.clock.now()
        if placement.move is not None and now - placement.move.changed_at < self.stragglers:
            return placement
        await self.cells.of(placement.cell).settle(placement.tenant, placement.epoch)
        await cell.vacate(placement.tenant, epoch)
        return placement.stepped(done, now)

    async def _bring(self, placement: Placement, move: Move, keys: Sequence[str], source_epoch: int) -> None:
        records = await self.cells.of(move.source).read(placement.tenant, keys, source_epoch)
        await self.cells.of(move.target).absorb(placement.tenant, list(records.values()), move.following.epoch)

    async def _placement(self, tenant: TenantId) -> Placement:
        placement = await self.placements.placement(tenant)
        if placement is None:
            raise PlacementNotFoundError
        return placement

    async def _write(self, before: Placement, after: Placement) -> Placement:
        """Write `after`, if it differs and nobody was faster; return what is stored then."""
        if after is not before:
            await self.placements.replace(before, after)
        return await self._placement(before.tenant)
