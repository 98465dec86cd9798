"""Places within a cell: what tenants share, and an index of a large tenant's own (T5, T6).

Both are addressed as cells are, by an id; so a tenant gets or leaves an index of its own by the same move.
"""

from typing import Final

from shared.cells.models import CellId

_OWN: Final = "/own"


def place_in(cell_id: CellId, *, has_own_index: bool) -> CellId:
    """Return the id of a place in `cell_id`."""
    return CellId(f"{cell_id}{_OWN}") if has_own_index else cell_id


def cell_of(place: CellId) -> CellId:
    """Return the cell that a place is in."""
    return CellId(place.removesuffix(_OWN))


def has_own_index(place: CellId) -> bool:
    return place.endswith(_OWN)
