"""What a benchmark gives: rows of figures, ratios first; bare seconds say more about the machine than about us."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Table:
    """One section of docs/benchmarks.md. `note` says what was compared with what, and what the bar is."""

    title: str
    note: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def as_markdown(self) -> str:
        lines = [self.header, ("---",) * len(self.header), *self.rows]
        table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        return f"## {self.title}\n\n{self.note}\n\n{table}"


def in_turn(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[list[float], list[float]]:
    """Time both in turn, A B A B …, after one round that is not counted: seconds of each round.

    A machine whose speed drifts slows both alike, so the ratio of two rounds holds.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for counted in range(-1, rounds):
        for times, run in zip(taken, (first, second), strict=True):
            started = perf_counter()
            run()
            if counted >= 0:
                times.append(perf_counter() - started)
    return taken


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios, pair by pair."""
    return statistics.median(above / below for above, below in zip(numerators, denominators, strict=True))
