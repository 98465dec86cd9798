"""How evenly 1,000 tenants spread over 2 to 50 cells, and how many move when a cell comes or goes (T6)."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.cells.balance import moved, place_all, plan_joining, plan_leaving
from shared.cells.models import Cell, CellId
from shared.cells.ring import ring_of
from shared.kernel.ids import TenantId
from tests.benchmarks.table import Table

TENANTS: Final = 1_000
SIZES: Final = range(2, 51)
SEEDS: Final = 5
SHOWN: Final = (2, 3, 5, 10, 20, 30, 40, 50)
MOST_UNEVEN: Final = 1.25
MOST_MOVED: Final = 1.1
BAR_WIDTH: Final = 40

Placed = Mapping[TenantId, CellId]


@dataclass(frozen=True, slots=True)
class Size:
    """The worst of all seeds with `cells` cells. Movements are times 1/cells, the least that keeps cells even.

    `ring` and `even` are the fullest cell over the mean, by the ring alone and as placed; `grown` and `shrunk` the same
    after coming to this size by one cell at a time. `joined` is what the last cell's coming moves, and `left` the going
    of the fullest: nobody but its tenants moves, so no other's going moves more.
    """

    cells: int
    ring: float
    even: float
    grown: float
    shrunk: float
    joined: float
    left: float
    preferred: float

    @property
    def most_uneven(self) -> float:
        return max(self.even, self.grown, self.shrunk)

    @property
    def most_moved(self) -> float:
        return max(self.joined, self.left)


def simulate(sizes: Sequence[int], seeds: Iterable[int], tenants: int = TENANTS) -> list[Size]:
    """Return the worst figures per size; `sizes` rise one by one."""
    return [_worst(same) for same in zip(*(_run(sizes, seed, tenants) for seed in seeds), strict=True)]


def run() -> Table:
    sizes = simulate(SIZES, range(SEEDS))
    print(_picture(sizes))
    uneven, most_moved = max(size.most_uneven for size in sizes), max(size.most_moved for size in sizes)
    assert uneven <= MOST_UNEVEN, uneven
    assert most_moved <= MOST_MOVED, most_moved
    return Table(
        "Cells",
        f"{TENANTS:,} tenants on every number of cells from {SIZES[0]} to {SIZES[-1]}, the worst of {SEEDS} sets of "
        "names. Fullest cell ÷ mean: by the ring alone, as placed, after growing and after shrinking to that size cell "
        "by cell. Moved, times 1/n: by the coming of the nth cell, by the going of the fullest of n. "
        f"Bars: {MOST_UNEVEN} and {MOST_MOVED}; the worst of all sizes: {uneven:.3f} and {most_moved:.3f}.",
        ("cells", "ring alone", "placed", "grown", "shrunk", "joining moves", "leaving moves", "placed as preferred"),
        [
            (
                str(size.cells), f"{size.ring:.2f}", f"{size.even:.3f}", f"{size.grown:.3f}", f"{size.shrunk:.3f}",
                f"{size.joined:.3f} / n", f"{size.left:.3f} / n", f"{size.preferred:.0%}",
            )
            for size in sizes
            if size.cells in SHOWN
        ],
    )  # fmt: skip


def _run(sizes: Sequence[int], seed: int, tenants: int) -> list[Size]:
    names = [TenantId(f"tenant-{seed}-{number}") for number in range(tenants)]
    cells = [Cell(CellId(f"cell-{seed}-{number}"), "eu-central-1") for number in range(sizes[-1])]
    fresh = {n: place_all(names, cells[:n]) for n in (sizes[0] - 1, *sizes)}
    grown = {sizes[0] - 1: fresh[sizes[0] - 1]}
    joined = {}
    for n in sizes:
        newcomer = cells[n - 1].cell_id
        moves = plan_joining(grown[n - 1], cells[:n], newcomer)
        grown[n] = moved(grown[n - 1], moves)
        joined[n] = max(len(moves), len(plan_joining(fresh[n - 1], cells[:n], newcomer)))
    shrunk = {sizes[-1]: grown[sizes[-1]]}
    for n in reversed(sizes[:-1]):
        shrunk[n] = moved(shrunk[n + 1], plan_leaving(shrunk[n + 1], cells[:n], cells[n].cell_id))
    return [_size(cells[:n], fresh[n], grown[n], shrunk[n], joined[n]) for n in sizes]


def _size(cells: list[Cell], fresh: Placed, grown: Placed, shrunk: Placed, joined: int) -> Size:
    ring = {name: next(ring_of(cells).walk(name)) for name in fresh}
    n, mean = len(cells), len(fresh) / len(cells)
    return Size(
        cells=n,
        ring=_fullest(ring)[1] / mean,
        even=_fullest(fresh)[1] / mean,
        grown=_fullest(grown)[1] / mean,
        shrunk=_fullest(shrunk)[1] / mean,
        joined=joined / mean,
        left=max(_left(cells, state) for state in (fresh, grown, shrunk)) / mean,
        preferred=sum(fresh[name] == ring[name] for name in fresh) / len(fresh),
    )


def _left(cells: list[Cell], placed: Placed) -> int:
    leaver = _fullest(placed)[0]
    return len(plan_leaving(placed, [cell for cell in cells if cell.cell_id != leaver], leaver))


def _fullest(placed: Placed) -> tuple[CellId, int]:
    return Counter(placed.values()).most_common(1)[0]


def _worst(same: Sequence[Size]) -> Size:
    return Size(
        cells=same[0].cells,
        ring=max(size.ring for size in same),
        even=max(size.even for size in same),
        grown=max(size.grown for size in same),
        shrunk=max(size.shrunk for size in same),
        joined=max(size.joined for size in same),
        left=max(size.left for size in same),
        preferred=min(size.preferred for size in same),
    )


def _picture(sizes: Iterable[Size]) -> str:
    """Return a drawing: per size the fullest cell over the mean as a bar, with the ring alone as a ring."""
    lines = [
        f"cells  fullest ÷ mean (█ placed, ○ ring alone, │ bar {MOST_UNEVEN})".ljust(7 + BAR_WIDTH + 24) + "moved × n"
    ]
    for size in sizes:
        drawn = ["█"] * _column(size.most_uneven) + [" "] * BAR_WIDTH
        drawn[_column(MOST_UNEVEN)] = "│"
        drawn[min(_column(size.ring), BAR_WIDTH - 1)] = "○"
        bar = "".join(drawn[:BAR_WIDTH])
        lines.append(
            f"{size.cells:5}  {bar}  {size.most_uneven:.3f}  ring {size.ring:.2f}  "
            f"joining {size.joined:.3f}  leaving {size.left:.3f}"
        )
    return "\n".join(lines)


def _column(ratio: float) -> int:
    return math.floor((ratio - 1.0) * BAR_WIDTH)
