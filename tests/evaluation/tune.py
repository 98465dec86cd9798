"""Which fusion weight suits a question set: `python -m tests.evaluation.tune --set DIR --json` (K7, K13).

Every document of the set goes the whole way from the bucket into a fresh knowledge base. Each leg is asked once per
question, and its scores are fused at every weight as the search service fuses them. A weight that was chosen on the
same questions that it is judged by looks better than it is, so the gain is cross-validated: each fold of the questions
is scored at the weight that was best on the others. Prints the curve and how to set the weight; with `--json`, one
object on the last line of standard output.
"""

import argparse
import asyncio
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.kernel.ids import DocumentId
from shared.retrieval.fusion import DEFAULT_VECTOR_WEIGHT, fuse_min_max, in_order
from shared.retrieval.query import LONGEST_QUERY, SearchMode, SearchQuery
from shared.retrieval.search import CANDIDATES
from tests.evaluation.fitting import Array, folds
from tests.evaluation.library import STORES, Library, open_library
from tests.evaluation.metrics import ndcg
from tests.evaluation.question_sets import QuestionSet, read_question_set, set_folder
from tests.evaluation.retrieval import as_html, file_name, set_ids_of

STEPS: Final = 20
"""Weights tried are the multiples of 1/20: neighbours differ by less than what a few hundred questions can tell."""

FOLDS: Final = 5
REPEATS: Final = 20
"""Divisions into folds over which the gain is averaged: one alone is luck."""

_BAR: Final = 40


@dataclass(frozen=True, slots=True)
class LegScores:
    """What each leg found for one question: chunk → score; and the document of the set that each chunk belongs to."""

    keyword: Mapping[str, float]
    vector: Mapping[str, float]
    document_of: Mapping[str, Sequence[str]]

    def ranked(self, weight: float) -> list[str]:
        """Return the documents found at this vector weight, best first; one is as good as its best chunk."""
        if self.keyword and self.vector:
            fused = fuse_min_max(self.keyword, self.vector, vector_weight=weight)
        else:
            fused = in_order(self.keyword or self.vector)
        return list(dict.fromkeys(name for chunk in fused for name in self.document_of[chunk]))


@dataclass(frozen=True, slots=True)
class Tuning:
    """nDCG@10 by weight (mean over the questions), and what choosing the best weight is worth on unseen questions.

    `gain` is over `current`, `error` the standard error of that gain.
    """

    weights: tuple[float, ...]
    figures: tuple[float, ...]
    current: float
    best: float
    gain: float
    error: float

    @property
    def is_worth_it(self) -> bool:
        """Whether the gain is more than chance makes of two equally good weights, nineteen times in twenty."""
        return self.best != self.current and self.gain > 2 * self.error


async def legs_of(questions: QuestionSet, store: str) -> list[LegScores]:
    """Take the set in and ask both legs every question."""
    async with open_library(store) as library:
        taken_in = await library.add({file_name(found): as_html(found) for found in questions.documents})
        set_ids = set_ids_of(questions, taken_in)
        return [await _ask(library, set_ids, asked.text) for asked in questions.questions]


async def _ask(library: Library, set_ids: Mapping[DocumentId, Sequence[str]], text: str) -> LegScores:
    found = {}
    document_of: dict[str, Sequence[str]] = {}
    for mode in (SearchMode.KEYWORD, SearchMode.VECTOR):
        result = await library.search(SearchQuery(text[:LONGEST_QUERY], mode, limit=CANDIDATES))
        if result.degraded:
            raise RuntimeError(f"A degraded search cannot be scored: {result.degraded}")
        found[mode] = {ranked.hit.chunk_id: ranked.score for ranked in result.hits}
        document_of |= {ranked.hit.chunk_id: set_ids[ranked.hit.document_id] for ranked in result.hits}
    return LegScores(found[SearchMode.KEYWORD], found[SearchMode.VECTOR], document_of)


def tune(questions: QuestionSet, legs: Sequence[LegScores], current: float) -> Tuning:
    """Score every weight on every question, and cross-validate the choice of the best one.

    Raises: ValueError when there are fewer than two questions, from which nothing can be held out.
    """
    if len(legs) < 2:
        raise ValueError("A weight is tuned on two questions at least; a hundred tell something.")
    weights = tuple(sorted({*(step / STEPS for step in range(STEPS + 1)), current}))
    asked = questions.questions
    scores = np.array(
        [
            [ndcg(found.ranked(weight), questions.relevant[question.id]) for weight in weights]
            for question, found in zip(asked, legs, strict=True)
        ]
    )
    groups = [question.id for question in asked]
    held_out = np.mean([_held_out(scores, groups, str(repeat)) for repeat in range(REPEATS)], axis=0)
    gains = held_out - scores[:, weights.index(current)]
    means = scores.mean(axis=0)
    return Tuning(
        weights,
        tuple(round(float(value), 4) for value in means),
        current,
        weights[_best(means)],
        round(float(gains.mean()), 4),
        round(float(gains.std(ddof=1)) / math.sqrt(len(gains)), 4),
    )


def _held_out(scores: Array, groups: Sequence[str], salt: str) -> Array:
    """Return each question's score at the weight that is best on the questions of the other folds."""
    fold_of = folds(groups, min(FOLDS, len(groups)), salt)
    chosen: NDArray[np.float64] = np.zeros(len(groups))
    for fold in np.unique(fold_of):
        here = fold_of == fold
        learned = scores[~here] if (~here).any() else scores
        chosen[here] = scores[here, _best(learned.mean(axis=0))]
    return chosen


def _best(means: Array) -> int:
    """Return the index of the best weight: of equally good neighbours the middle one, farthest from doing harm."""
    good = np.flatnonzero(means >= means.max() - 1e-9)
    return int(good[len(good) // 2])


def picture(tuning: Tuning) -> Table:
    """Return the curve as a table with bars; the scale of the bars begins at the worst weight."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Vector weight", justify="right")
    table.add_column("nDCG@10", justify="right")
    table.add_column("")
    worst, top = min(tuning.figures), max(tuning.figures)
    for weight, figure in zip(tuning.weights, tuning.figures, strict=True):
        share = (figure - worst) / (top - worst) if top > worst else 1.0
        marks = [
            mark for mark, is_there in (("best", weight == tuning.best), ("now", weight == tuning.current)) if is_there
        ]
        bar = Text("█" * (1 + round(share * (_BAR - 1))), style="green" if "best" in marks else "blue")
        table.add_row(f"{weight:.2f}", f"{figure:.4f}", bar + Text(f" {', '.join(marks)}" if marks else ""))
    return table


def advice(tuning: Tuning) -> str:
    """Return what the figures say, and the command that follows from it."""
    honest = f"{tuning.gain:+.4f} ± {tuning.error:.4f} nDCG@10 on questions that were not used to choose it"
    if not tuning.is_worth_it:
        return f"Keep {tuning.current}: choosing the best weight here is worth {honest}, which may be chance."
    body = json.dumps({"config": {"vector_weight": tuning.best}})
    return (
        f"Set {tuning.best}: worth {honest}. It takes effect at once, nothing is indexed again:\n\n"
        f"  curl -X PATCH -H \"Authorization: Bearer $(make token)\" -H 'content-type: application/json' \\\n"
        f"    -d '{body}' \"$(make address)/knowledge-bases/KB_ID\""
    )


def figures_of(tuning: Tuning, questions: QuestionSet, store: str) -> dict[str, Any]:
    return {
        "set": questions.name,
        "store": store,
        "questions": len(questions.questions),
        "ndcg_at_10_by_weight": dict(zip(map(str, tuning.weights), tuning.figures, strict=True)),
        "current_weight": tuning.current,
        "best_weight": tuning.best,
        "cross_validated_gain": tuning.gain,
        "standard_error": tuning.error,
        "is_worth_it": tuning.is_worth_it,
    }


def _weight(text: str) -> float:
    weight = float(text)
    if not 0 <= weight <= 1:
        raise argparse.ArgumentTypeError("a weight lies between 0 and 1")
    return weight


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Find the fusion weight that suits a question set in BEIR's layout.")
    parser.add_argument(
        "--set", type=set_folder, required=True, help="folder with corpus.jsonl, queries.jsonl and qrels.tsv"
    )
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--current", type=_weight, default=DEFAULT_VECTOR_WEIGHT, help="the weight in use now")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args(arguments)
    questions = read_question_set(options.set)
    tuning = tune(questions, asyncio.run(legs_of(questions, options.store)), options.current)
    if options.json:
        print(json.dumps(figures_of(tuning, questions, options.store)))
        return 0
    console = Console(highlight=False)
    console.print(f"{questions.name}: {len(questions.questions)} questions, {options.store}\n")
    console.print(picture(tuning))
    print(f"\n{advice(tuning)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
