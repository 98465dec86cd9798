"""How well each passage fits a question: the features of the two looks (K8).

The first look knows words and the scores of the search. The second knows, of the few best passages only, how close
their meaning is to the question's: embedding a sentence costs more than everything else together.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.answers.passages import Passage
from shared.answers.questions import Question, stem
from shared.retrieval.analysis import analyze
from shared.retrieval.keywords import K1, B, inverse_document_frequency
from shared.retrieval.search import RankedHit

_REFERRING: Final = re.compile(
    r"(?:(?:in|at|by|for|after|of|with|from|during|before|because of) )?"
    r"(?:it|its|he|his|she|her|they|their|these|this|that|those|such|both|all \w+|there"
    r"|er|sie|es|dies\w*|damit|dabei)\b",
    re.IGNORECASE,
)

Matrix = NDArray[np.float64]

FIRST_LOOK: Final = (
    "keywords", "chunk_score", "chunk_similarity", "chunk_keywords", "chunk_rank", "coverage_in_context",
    "stem_coverage", "carried_over", "kind", "numbers", "length",
)  # fmt: skip
"""Columns of `Reading.first_look`."""

SECOND_LOOK: Final = (*FIRST_LOOK, "similarity")
"""Columns of `Reading.second_look`."""


@dataclass(frozen=True)
class Reading:
    """One question beside the passages of the best chunks. `hits[passage.chunk]` is where a passage was found."""

    question: Question
    hits: Sequence[RankedHit]
    passages: Sequence[Passage]

    @cached_property
    def terms(self) -> list[list[str]]:
        """Return the terms of every passage."""
        return [analyze(passage.text) for passage in self.passages]

    @cached_property
    def weights(self) -> dict[str, float]:
        """Return what each term of the question weighs among these passages: rare ones more."""
        containing = Counter(term for found in self.terms for term in set(found))
        count = len(self.passages)
        return {term: inverse_document_frequency(count, containing[term]) for term in self.question.terms}

    @cached_property
    def first_look(self) -> Matrix:
        """Return an array of shape (passages, len(FIRST_LOOK))."""
        context_terms = {
            chunk: set(analyze(f"{ranked.hit.title}\n{ranked.hit.context}")) for chunk, ranked in enumerate(self.hits)
        }
        chunk_similarity = stretched([ranked.vector_score or 0.0 for ranked in self.hits])
        chunk_keywords = stretched([ranked.keyword_score or 0.0 for ranked in self.hits])
        best_score = self.hits[0].score or 1.0 if self.hits else 1.0
        keywords = self._keyword_scores()
        rows = []
        for index, passage in enumerate(self.passages):
            own = set(self.terms[index])
            before = set(analyze(passage.before))
            around = own | context_terms[passage.chunk] | before
            rows.append(
                (
                    keywords[index],
                    self.hits[passage.chunk].score / best_score,
                    chunk_similarity[passage.chunk],
                    chunk_keywords[passage.chunk],
                    1 / (1 + passage.chunk),
                    coverage(self.weights, around),
                    coverage_by_stem(self.weights, own),
                    coverage(self.weights, before - own) if refers_back(passage.text) else 0.0,
                    self.question.is_answered_in_kind(passage.text),
                    self.question.number_coverage(f"{passage.before}\n{passage.text}"),
                    math.log1p(len(self.terms[index])),
                )
            )
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(FIRST_LOOK))

    def second_look(self, chosen: Sequence[int], similarities: Sequence[float]) -> Matrix:
        """Return an array of shape (len(chosen), len(SECOND_LOOK)) for the passages at the indexes `chosen`.

        `similarities` are their cosines to the question.
        """
        return np.column_stack([self.first_look[list(chosen)], stretched(similarities)])

    def _keyword_scores(self) -> list[float]:
        """Return BM25 of every passage as a share of the most that the question's terms can give."""
        lengths = [len(found) for found in self.terms]
        average = (sum(lengths) / len(lengths) if lengths else 0) or 1
        most = sum(self.weights.values()) * (K1 + 1) or 1
        scores = []
        for found, length in zip(self.terms, lengths, strict=True):
            counts = Counter(found)
            norm = K1 * (1 - B + B * length / average)
            score = sum(
                weight * counts[term] * (K1 + 1) / (counts[term] + norm)
                for term, weight in self.weights.items()
                if term in counts
            )
            scores.append(score / most)
        return scores


def coverage(weights: Mapping[str, float], terms: set[str]) -> float:
    """Return the weighted share of the question's terms among `terms`."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in terms) / total if total else 0.0


def coverage_by_stem(weights: Mapping[str, float], terms: set[str]) -> float:
    """Return the weighted share of the question's terms of which an inflected form is among `terms`."""
    by_stem: dict[str, float] = {}
    for term, weight in weights.items():
        by_stem[stem(term)] = max(by_stem.get(stem(term), 0.0), weight)
    return coverage(by_stem, {stem(term) for term in terms})


def stretched(values: Sequence[float]) -> NDArray[np.float64]:
    """Map `values` linearly to [0, 1]; where all are equal, each is 0, for then they tell nothing apart."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size or array.max() == array.min():
        return np.zeros(array.shape)
    stretched_values: NDArray[np.float64] = (array - array.min()) / (array.max() - array.min())
    return stretched_values


def refers_back(text: str) -> bool:
    """Tell whether a passage seems to begin with a word for something that was named before it."""
    return _REFERRING.match(text) is not None
