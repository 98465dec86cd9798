"""Small convex fits with their figures of merit: enough to calibrate the answerer, and to check a calibration (K13)."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ROUNDS: Final = 50
_LONGEST_STEP: Final = 1.0


@dataclass(frozen=True, slots=True)
class Linear:
    """`intercept + features @ weights`."""

    intercept: float
    weights: Array

    def __call__(self, features: Array) -> Array:
        scores: Array = features @ self.weights + self.intercept
        return scores


def fit_logistic(features: Array, labels: Flags, importance: Array, penalty: float) -> Linear:
    """Fit the probability of a true label; `penalty` is the ridge on weights of standardised features.

    `importance` counts each row as that many.
    """
    mean, spread = _standards(features)
    rows = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    ridge = np.diag([1e-6, *([penalty] * features.shape[1])])
    weights = np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        expected = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (importance * (labels - expected)) - ridge @ weights
        curvature = (rows * (importance * expected * (1 - expected))[:, None]).T @ rows + ridge
        weights += (step := _shortened(np.linalg.solve(curvature, gradient).astype(np.float64)))
        if np.abs(step).max() < 1e-6:
            break
    return _unstandardised(weights[0], weights[1:], mean, spread)


def fit_choice(questions: Sequence[tuple[Array, Flags]], penalty: float) -> Linear:
    """Fit scores such that softmax over the rows of each question puts its mass on the flagged rows.

    Questions without a flagged row, or with nothing else, teach nothing and are passed over.
    Source: McFadden's conditional logit, with several acceptable choices.
    """
    telling = [(rows, flags) for rows, flags in questions if flags.any() and not flags.all()]
    mean, spread = _standards(np.vstack([rows for rows, _ in telling]))
    columns = len(mean)
    weights = np.zeros(columns)
    for _ in range(_ROUNDS):
        gradient = -penalty * weights
        curvature = penalty * np.eye(columns)
        for raw, flags in telling:
            rows = (raw - mean) / spread
            scores = rows @ weights
            chosen = _softmax(scores)
            wanted = np.zeros(len(scores))
            wanted[flags] = _softmax(scores[flags])
            gradient += rows.T @ (wanted - chosen)
            centre = rows.T @ chosen
            curvature += (rows * chosen[:, None]).T @ rows - np.outer(centre, centre)
        weights += (step := _shortened(np.linalg.solve(curvature, gradient).astype(np.float64)))
        if np.abs(step).max() < 1e-5:
            break
    fitted = _unstandardised(0.0, weights, mean, spread)
    return Linear(0.0, fitted.weights)


def area_under_curve(scores: Array, labels: Flags) -> float:
    """Return the chance that a true label scores above a false one; ties count half."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    for value in np.unique(scores):
        tied = scores == value
        ranks[tied] = ranks[tied].mean()
    positive = int(labels.sum())
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * (len(labels) - positive)))


def risk_at_coverage(scores: Array, is_right: Flags, coverage: float) -> float:
    """Return the share of wrong answers among the `coverage` share of questions with the highest scores."""
    kept = max(1, round(coverage * len(scores)))
    order = np.argsort(-scores, kind="stable")[:kept]
    return float(1 - is_right[order].mean())


def folds(groups: Sequence[str], count: int, salt: str = "") -> NDArray[np.int_]:
    """Return the fold of each row, in [0, count): the same for equal groups, and in every run."""
    return np.array([int(hashlib.sha256(f"{salt}{group}".encode()).hexdigest(), 16) % count for group in groups])


def out_of_fold(
    groups: Sequence[str], count: int, fit: Callable[[Flags], Callable[[Flags], Array]], salt: str = ""
) -> Array:
    """Return a score for every row, from a model that never saw its group.

    `fit` gets which rows to learn from and returns a function from rows to their scores.
    """
    fold_of = folds(groups, count, salt)
    scores = np.zeros(len(fold_of))
    for fold in range(count):
        held_out = fold_of == fold
        if held_out.any():
            scores[held_out] = fit(~held_out)(held_out)
    return scores


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max())
    shares: Array = powers / powers.sum()
    return shares


def _standards(features: Array) -> tuple[Array, Array]:
    spread = features.std(axis=0)
    return features.mean(axis=0), np.where(spread > 1e-9, spread, 1.0)


def _shortened(step: Array) -> Array:
    """Limit a Newton step: far from the optimum the full one overshoots."""
    shortened: Array = step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
    return shortened


def _unstandardised(intercept: float, weights: Array, mean: Array, spread: Array) -> Linear:
    raw = weights / spread
    return Linear(float(intercept - mean @ raw), raw)
