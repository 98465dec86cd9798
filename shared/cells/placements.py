"""Where a tenant's data is, and how it moves (T6).

planned → copying → dual-read → verified → switched → cleaning → done; aborting → aborted from each before switched.

A placement is sticky: only a move changes its cell. Every step is one conditional write of the record, after an effect
that may be repeated; where steps could race, the gates of the two cells decide (`gates.py`) and the record follows.

    state      epoch  reads                    writes
    planned    e      source                   source
    copying    e+2    source                   source, passed on to the target
    dual-read  e+2    source, beside it target source, passed on to the target
    verified   e+2    source, beside it target source, passed on to the target
    switched   e+3    the newer of both        target, after bringing forward what is newer in the source
    cleaning   e+4    target                   target
    done       e+4    target                   target
    aborting   e+3    source                   source
    aborted    e+3    source                   source
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.cells.errors import InvalidMoveError
from shared.cells.gates import FIRST_EPOCH, Gate, GateRole
from shared.cells.models import CellId
from shared.kernel.ids import TenantId


class MoveState(StrEnum):
    PLANNED = "planned"
    COPYING = "copying"
    DUAL_READ = "dual-read"
    VERIFIED = "verified"
    SWITCHED = "switched"
    CLEANING = "cleaning"
    DONE = "done"
    ABORTING = "aborting"
    ABORTED = "aborted"


FINISHED: Final = frozenset({MoveState.DONE, MoveState.ABORTED})

_GOING_THROUGH: Final = frozenset({MoveState.COPYING, MoveState.DUAL_READ, MoveState.SWITCHED})

_UNDECIDED: Final = frozenset({MoveState.PLANNED, MoveState.COPYING, MoveState.DUAL_READ, MoveState.VERIFIED})

_NEXT: Final = {
    MoveState.PLANNED: {MoveState.COPYING, MoveState.ABORTING},
    MoveState.COPYING: {MoveState.DUAL_READ, MoveState.ABORTING},
    MoveState.DUAL_READ: {MoveState.VERIFIED, MoveState.ABORTING},
    MoveState.VERIFIED: {MoveState.SWITCHED, MoveState.ABORTING},
    MoveState.SWITCHED: {MoveState.CLEANING},
    MoveState.CLEANING: {MoveState.DONE},
    MoveState.ABORTING: {MoveState.ABORTED},
    MoveState.DONE: set[MoveState](),
    MoveState.ABORTED: set[MoveState](),
}


@dataclass(frozen=True, slots=True)
class Move:
    """A move from `source` to `target`, begun at epoch `base` of the placement; its gates begin at `base` + 2, above
    what a move that was given up may have left in the target.

    Copying and comparing go through the source in the order of keys: `position` is the last key that is done, where
    whoever comes next goes on, and `passed` how many records that were. `total` is how many the source had in the
    beginning. `checksum` is that of the records compared up to there; they were equal in both cells.
    """

    source: CellId
    target: CellId
    base: int
    state: MoveState
    started_at: datetime
    changed_at: datetime
    position: str = ""
    checksum: str = ""
    passed: int = 0
    total: int = 0

    @property
    def mirroring(self) -> Gate:
        """The source's gate from copying on."""
        return Gate(self.base + 2, GateRole.MIRRORED, self.target)

    @property
    def following(self) -> Gate:
        """The target's gate from copying on: it is good for the epoch in which the target decides."""
        return Gate(self.base + 3, GateRole.FOLLOWING, self.source)

    @property
    def handed_over(self) -> Gate:
        """The source's gate from the switch on."""
        return Gate(self.base + 3, GateRole.HANDED_OVER, self.target)

    @property
    def settled(self) -> Gate:
        """The target's gate when it has everything, and the source is asked no more."""
        return Gate(self.base + 4, GateRole.OPEN)

    @property
    def reopened(self) -> Gate:
        """The source's gate when the move is given up."""
        return Gate(self.base + 3, GateRole.OPEN)

    @property
    def shut(self) -> Gate:
        """The target's gate when the move is given up."""
        return Gate(self.base + 4, GateRole.SHUT)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one tenant's data is: `cell` decides. `move` is the last move, finished or not; `epoch` only rises."""

    tenant: TenantId
    cell: CellId
    epoch: int = FIRST_EPOCH
    move: Move | None = None
    revision: int = 0

    @property
    def under_way(self) -> Move | None:
        """Return the move that is not finished."""
        return None if self.move is None or self.move.state in FINISHED else self.move

    @property
    def occupied(self) -> frozenset[CellId]:
        """Return the cells in which the tenant takes room: both while it moves."""
        move = self.under_way
        return frozenset({self.cell}) if move is None else frozenset({move.source, move.target})

    def planned(self, target: CellId, now: datetime) -> "Placement":
        """Return the placement with a move to `target`. Raises: InvalidMoveError when it moves already or is there."""
        if self.under_way is not None:
            raise InvalidMoveError("This organisation is being moved already. Wait for the end, or abort the move.")
        if target == self.cell:
            raise InvalidMoveError("This organisation is in that cell already.")
        return replace(self, move=Move(self.cell, target, self.epoch, MoveState.PLANNED, now, now))

    def opened(self, total: int, now: datetime) -> "Placement":
        """Return the placement whose move begins to copy `total` records. Raises: InvalidMoveError when it did."""
        copying = self.stepped(MoveState.COPYING, now)
        return copying if copying.move is None else replace(copying, move=replace(copying.move, total=total))

    def progressed(self, position: str, passed: int, checksum: str, now: datetime) -> "Placement":
        """Return the placement whose move came to `position`, by `passed` records more.

        Raises: InvalidMoveError unless it goes through keys.
        """
        move = self.move
        if move is None or move.state not in _GOING_THROUGH:
            raise InvalidMoveError("The move neither copies nor compares. Look at it again.")
        passed += move.passed
        return replace(self, move=replace(move, position=position, passed=passed, checksum=checksum, changed_at=now))

    def erased(self, count: int) -> "Placement":
        """Return the placement whose move erased `count` records more of those that it left behind."""
        move = self.move
        return self if move is None else replace(self, move=replace(move, passed=move.passed + count))

    def stepped(self, state: MoveState, now: datetime) -> "Placement":
        """Return the placement with its move in `state`.

        Raises: InvalidMoveError when that state does not follow: nothing is aborted any more once it was switched.
        """
        move = self.move
        if move is None or state not in _NEXT[move.state]:
            raise InvalidMoveError("The move is not in a state from which this follows. Look at it again.")
        decider, gate = _in_force(move, state)
        return replace(
            self, move=replace(move, state=state, changed_at=now, position="", passed=0), cell=decider, epoch=gate.epoch
        )

    def as_told_by(self, gate: Gate, now: datetime) -> "Placement":
        """Return the placement as the gate that refused an access says that it is, if the record is behind that gate.

        The record is written after the gates, so between the two writes a gate knows more.
        """
        move = self.under_way
        if move is None:
            return self
        if gate == move.mirroring and move.state is MoveState.PLANNED:
            return self.stepped(MoveState.COPYING, now)
        if gate == move.handed_over and move.state in _UNDECIDED:
            return replace(self, move=replace(move, state=MoveState.VERIFIED)).stepped(MoveState.SWITCHED, now)
        if gate == move.settled and move.state is MoveState.SWITCHED:
            return self.stepped(MoveState.CLEANING, now)
        if gate == move.reopened and move.state in _UNDECIDED:
            return self.stepped(MoveState.ABORTING, now)
        return self


def _in_force(move: Move, state: MoveState) -> tuple[CellId, Gate]:
    """Return the cell that decides in `state`, and its gate."""
    match state:
        case MoveState.ABORTING | MoveState.ABORTED:
            return move.source, move.reopened
        case MoveState.SWITCHED:
            return move.target, move.following
        case MoveState.CLEANING | MoveState.DONE:
            return move.target, move.settled
    return move.source, move.mirroring
