"""Whether the evidence at hand answers the question: signals, and what they say together (K8)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    NO_EVIDENCE = "no_evidence"


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for and against an answer, before any weighing.

    `chunk_similarity`, `similarity` and `title_similarity` are cosines to the question: of the closest chunk, of the
    best passage with its title, and of that title alone. `keywords` is the BM25 of that passage as a share of what it
    could be, `coverage`, `stem_coverage` and `coverage_in_context` are weighted shares of the question's terms in it
    and around it, `chunk_coverage` in its chunk; `number_coverage` is the share of the question's numbers in the
    quotations. `kind` says whether the best passage holds the kind of thing asked for. `fit` is its score, `margin`
    its lead over the next one, `share` that of the quoted passages among all candidates. `agreement` is 1 when both
    legs of the search prefer the same chunk. `chunk_margin` is how far the best
    chunk leads the next one, as a share of its score.
    """

    chunk_similarity: float
    similarity: float
    title_similarity: float
    keywords: float
    coverage: float
    stem_coverage: float
    coverage_in_context: float
    chunk_coverage: float
    number_coverage: float
    kind: float
    fit: float
    margin: float
    share: float
    agreement: float
    chunk_margin: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic over signals, fitted with equal weight on answerable and on unanswerable questions."""

    intercept: float
    weights: Mapping[str, float]

    def confidence(self, signals: Signals, prior: float) -> float:
        """Return the probability that the evidence answers, where the share `prior` of all questions has an answer."""
        odds = self.intercept + sum(weight * getattr(signals, name) for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-(odds + math.log(prior / (1 - prior)))))


EXPECTED_ANSWERABLE: Final = 0.9
"""Share of questions that a knowledge base can answer, as long as nobody knows better: people ask what it is about."""

ANSWERED_FROM: Final = 0.5

DEFAULT_MINIMUM_CONFIDENCE: Final = 0.25
"""Below it a new knowledge base has no evidence to show; from it on a question is answered, at least in part."""


def outcome_of(confidence: float, minimum: float = DEFAULT_MINIMUM_CONFIDENCE) -> Outcome:
    """Return the outcome that a confidence in [0, 1] stands for, where below `minimum` nothing is said."""
    if confidence < minimum:
        return Outcome.NO_EVIDENCE
    return Outcome.ANSWERED if confidence >= ANSWERED_FROM else Outcome.PARTIAL
