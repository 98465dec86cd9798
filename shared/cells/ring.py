"""The consistent-hash ring: in which order a tenant prefers the cells (T6).

Source: Karger et al., "Consistent Hashing and Random Trees", STOC 1997.
"""

import bisect
import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from shared.cells.models import Cell, CellId
from shared.kernel.ids import TenantId

VIRTUAL_NODES: Final = 128
"""Points on the ring per unit of weight."""


class HashRing:
    """Some cells, each with `VIRTUAL_NODES` points per unit of weight. Equal cells give equal rings in every process.

    A cell's points depend on nothing but its id and weight, so adding one takes tenants from others and moves nobody
    between them.
    """

    def __init__(self, weights: Iterable[tuple[CellId, int]]) -> None:
        points = sorted(
            (_point(f"cell/{number}/{cell_id}"), cell_id)
            for cell_id, weight in weights
            for number in range(weight * VIRTUAL_NODES)
        )
        self._points = [point for point, _ in points]
        self._owners = [cell_id for _, cell_id in points]

    def walk(self, tenant: TenantId) -> Iterator[CellId]:
        """Yield every cell once, the one that `tenant` prefers first."""
        start = bisect.bisect_right(self._points, _point(f"tenant/{tenant}"))
        seen: set[CellId] = set()
        for step in range(len(self._owners)):
            cell_id = self._owners[(start + step) % len(self._owners)]
            if cell_id not in seen:
                seen.add(cell_id)
                yield cell_id


def ring_of(cells: Iterable[Cell]) -> HashRing:
    """Return the ring of `cells`, whatever their order; only ids and weights matter."""
    return _ring(tuple(sorted((cell.cell_id, cell.weight) for cell in cells)))


@lru_cache(maxsize=8)
def _ring(weights: tuple[tuple[CellId, int], ...]) -> HashRing:
    return HashRing(weights)


def _point(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
