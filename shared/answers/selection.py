"""Which passages are quoted, and how they are joined into quotations (K8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.answers.passages import Passage

SMALLEST_SHARE: Final = 0.003
"""A passage that is less likely than this to hold the answer is left out, although there would be room for it."""

MOST_BETWEEN: Final = 3
"""Characters (white space) between two passages that are quoted as one."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """One passage, or several that follow one another in their text, in text order."""

    passages: tuple[Passage, ...]

    @property
    def start(self) -> int:
        return self.passages[0].start

    @property
    def end(self) -> int:
        return self.passages[-1].end


def shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how likely each passage is the one that answers, if one of them does: the softmax of `scores`."""
    powers: NDArray[np.float64] = np.exp(scores - scores.max(initial=-np.inf))
    share: NDArray[np.float64] = powers / powers.sum()
    return share


def select(passages: Sequence[Passage], scores: NDArray[np.float64], most: int) -> list[Passage]:
    """Return up to `most` passages to quote, best first; ties by order.

    What says the same as a better one word for word, or overlaps it, is passed over.
    """
    chosen: list[Passage] = []
    share = shares(scores)
    for index in np.argsort(-scores, kind="stable").tolist():
        if len(chosen) == most or (chosen and share[index] < SMALLEST_SHARE):
            break
        if not any(_repeats(passages[index], other) for other in chosen):
            chosen.append(passages[index])
    return chosen


def joined(passages: Sequence[Passage]) -> list[Quotation]:
    """Join passages that follow one another in a text. `passages` come best first, and so do the quotations."""
    rank_of = {(found.document_id, found.generation, found.start): rank for rank, found in enumerate(passages)}
    runs: list[list[Passage]] = []
    for _, rank in sorted((key, rank) for key, rank in rank_of.items()):
        passage = passages[rank]
        if runs and _follows(passage, runs[-1][-1]):
            runs[-1].append(passage)
        else:
            runs.append([passage])
    runs.sort(key=lambda run: min(rank_of[found.document_id, found.generation, found.start] for found in run))
    return [Quotation(tuple(run)) for run in runs]


def _follows(passage: Passage, other: Passage) -> bool:
    return _same_text(passage, other) and 0 <= passage.start - other.end <= MOST_BETWEEN


def _repeats(passage: Passage, other: Passage) -> bool:
    if _same_text(passage, other) and passage.start < other.end and other.start < passage.end:
        return True
    return passage.text.split() == other.text.split()


def _same_text(passage: Passage, other: Passage) -> bool:
    return passage.document_id == other.document_id and passage.generation == other.generation
