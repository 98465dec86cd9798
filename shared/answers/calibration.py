"""Constants of the answerer, as `python -m tests.evaluation.calibrate SET…` prints them; it says how they are fitted.

From XQuAD-en (1,190 questions) and the first half of CLAPNQ's development questions (167 with an answer, 140 without),
cross-validated by article: docs/decisions/0007-extractive-answers.md has the figures. Never edited by hand.
"""

from collections.abc import Mapping
from typing import Final

from shared.answers.confidence import Calibration

FIRST_LOOK_WEIGHTS: Final[Mapping[str, float]] = {
    "keywords": 4.823,
    "chunk_score": 4.416,
    "chunk_similarity": 2.003,
    "chunk_keywords": 0.374,
    "chunk_rank": 0.5331,
    "coverage_in_context": 1.316,
    "stem_coverage": 5.118,
    "carried_over": 2.331,
    "kind": 1.777,
    "numbers": 0.8791,
    "length": 0.2453,
}

SECOND_LOOK_WEIGHTS: Final[Mapping[str, float]] = {
    "keywords": 2.407,
    "chunk_score": 2.956,
    "chunk_similarity": 1.049,
    "chunk_keywords": 0.7721,
    "chunk_rank": 0.388,
    "coverage_in_context": 1.481,
    "stem_coverage": 3.562,
    "carried_over": 2.273,
    "kind": 1.706,
    "numbers": 1.034,
    "length": 0.3375,
    "similarity": 2.507,
}

CONFIDENCE: Final = Calibration(
    -9.661,
    {
        "chunk_similarity": 7.79,
        "similarity": 6.744,
        "title_similarity": -3.951,
        "keywords": 2.185,
        "stem_coverage": 2.206,
        "coverage_in_context": -0.2212,
        "chunk_coverage": -0.7596,
        "share": 2.093,
        "fit": 0.05053,
        "margin": -0.2793,
        "kind": 0.04205,
        "agreement": -0.04396,
        "chunk_margin": 1.755,
    },
)
