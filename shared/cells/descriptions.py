"""Cells, placements and moves as the API describes them to those who run the deployment (T6)."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import StrictBool, StringConstraints

from shared.cells.models import Cell, CellId, CellState
from shared.cells.placements import Move, MoveState, Placement
from shared.cells.places import cell_of, has_own_index, place_in
from shared.cells.progress import percent_of
from shared.kernel.bodies import Description, Request
from shared.kernel.ids import TenantId

_NAME: Final = r"^[a-z0-9][a-z0-9-]{0,31}$"
CellName = Annotated[str, StringConstraints(pattern=_NAME)]
CellPath = Annotated[CellId, StringConstraints(pattern=_NAME)]


class CellDescription(Description):
    """One cell. `load` is the used share of its capacity, `tenants` how many take room in it, moving ones included.

    An ill cell, or one that is closing or closed, gets no new tenants; `own_indexes` counts those that share none.
    While a cell is emptied or filled, `tenants_left` says how many have not moved to the end, once they are counted,
    and `standstill` is the code of what keeps them from it.
    """

    id: str
    region: str
    weight: int
    state: CellState
    is_healthy: bool
    load: float
    latency_ms: float
    tenants: int
    own_indexes: int
    asked_at: datetime | None
    tenants_left: int | None
    standstill: str | None

    @classmethod
    def of(cls, cell: Cell, tenants: int, own_indexes: int) -> "CellDescription":
        change = cell.change
        return cls(
            id=cell.cell_id,
            region=cell.region,
            weight=cell.weight,
            state=cell.state,
            is_healthy=cell.seen.is_healthy,
            load=cell.seen.load,
            latency_ms=cell.seen.latency_ms,
            tenants=tenants,
            own_indexes=own_indexes,
            asked_at=None if change is None else change.asked_at,
            tenants_left=None if change is None else change.left,
            standstill=None if change is None else change.standstill or None,
        )


class MoveDescription(Description):
    """The last move. `chunks_done` of `chunks` are copied, compared or erased, as `state` says; `percent` is of all.

    The tenant may write meanwhile, so `chunks`, counted in the beginning, is a guess. `checksum` covers text, place,
    metadata and vector of every chunk that was compared so far, and was equal on both sides.
    """

    from_cell: str
    from_own_index: bool
    to_cell: str
    to_own_index: bool
    state: MoveState
    percent: int
    chunks_done: int
    chunks: int
    checksum: str
    started_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, move: Move) -> "MoveDescription":
        return cls(
            from_cell=cell_of(move.source),
            from_own_index=has_own_index(move.source),
            to_cell=cell_of(move.target),
            to_own_index=has_own_index(move.target),
            state=move.state,
            percent=percent_of(move),
            chunks_done=move.passed,
            chunks=move.total,
            checksum=move.checksum,
            started_at=move.started_at,
            changed_at=move.changed_at,
        )


class PlacementDescription(Description):
    """Where an organisation's chunks are, and its last move, finished or not."""

    tenant: TenantId
    cell: str
    own_index: bool
    move: MoveDescription | None

    @classmethod
    def of(cls, placement: Placement) -> "PlacementDescription":
        return cls(
            tenant=placement.tenant,
            cell=cell_of(placement.cell),
            own_index=has_own_index(placement.cell),
            move=None if placement.move is None else MoveDescription.of(placement.move),
        )


class MoveRequest(Request):
    """Where to; with `own_index` into an index that no other organisation shares."""

    cell: CellName
    own_index: StrictBool = False

    def to_place(self) -> CellId:
        return place_in(CellId(self.cell), has_own_index=self.own_index)
