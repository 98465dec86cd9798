"""How far a move has come (T6)."""

from collections.abc import Mapping
from typing import Final

from shared.cells.placements import Move, MoveState

_SPANS: Final[Mapping[MoveState, tuple[int, int]]] = {
    MoveState.PLANNED: (0, 0),
    MoveState.COPYING: (0, 50),
    MoveState.DUAL_READ: (50, 75),
    MoveState.VERIFIED: (75, 75),
    MoveState.SWITCHED: (75, 95),
    MoveState.CLEANING: (95, 99),
    MoveState.DONE: (100, 100),
    MoveState.ABORTING: (0, 0),
    MoveState.ABORTED: (0, 0),
}
"""Which part of the way each state is, in percent: copying takes about as long as comparing twice."""


def percent_of(move: Move) -> int:
    """Return how much of the way to the target is done, 0 to 100; only a finished move has 100, one given up has 0.

    What was written since the beginning is not in `total`, so a state's part may be full before the state ends.
    """
    first, last = _SPANS[move.state]
    share = min(move.passed / move.total, 1.0) if move.total else 0.0
    return first + int((last - first) * share)
