"""The gate of one tenant in one cell: what the cell lets in (T6).

A gate stands with the tenant's data, so a cell can look at it in the same step as at a record. Every access names the
epoch that it believes in, and a cell refuses any other: nobody reads or writes by a placement that is no longer true,
however long they were away. Epochs only rise, and the first to set a gate at an epoch decides what that epoch means.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.cells.models import CellId

FIRST_EPOCH: Final = 1


class GateRole(StrEnum):
    OPEN = "open"
    """The tenant's only cell."""

    MIRRORED = "mirrored"
    """Still the cell that decides; what it takes is passed on to `peer`."""

    FOLLOWING = "following"
    """Being filled from `peer`; decides once that has handed over."""

    HANDED_OVER = "handed-over"
    """Takes no write any more; `peer` decides."""

    SHUT = "shut"
    """Holds nothing that counts: a move to here was given up."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Epoch 0 stands for a tenant that the cell does not know."""

    epoch: int = 0
    role: GateRole = GateRole.SHUT
    peer: CellId | None = None

    def is_at(self, epoch: int) -> bool:
        """Whether whoever believes in `epoch` is right; nobody sets the gate of a tenant that was never moved."""
        return epoch == (self.epoch or FIRST_EPOCH)

    @property
    def takes_writes(self) -> bool:
        """Whether records may be written here, rather than merely passed on to here."""
        return self.role in {GateRole.OPEN, GateRole.MIRRORED, GateRole.FOLLOWING}


PLACED_ELSEWHERE: Final = Gate(FIRST_EPOCH + 1, GateRole.SHUT)
"""The gate at home of a tenant whose first placement is in another cell: it turns away whoever looked before that, and
took the tenant for one that stays at home. Gates of moves are above it."""


class StaleEpochError(Exception):
    """The access believes in another epoch than the cell's gate, which it carries. Never leaves the domain."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(f"The gate is at epoch {gate.epoch}, {gate.role}.")
        self.gate = gate
