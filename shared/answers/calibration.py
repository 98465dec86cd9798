"""Constants of the answerer, as `python -m tests.evaluation.calibrate SET…` prints them; it says how they are fitted.

From XQuAD-en (1,190 questions) and the first half of CLAPNQ's development questions (167 with an answer, 140 without),
cross-validated by article: docs/decisions/0013-extractive-answers.md has the figures. Never edited by hand.
"""

from collections.abc import Mapping
from typing import Final

from shared.answers.confidence import Calibration

FIRST_LOOK_WEIGHTS: Final[Mapping[str, float]] = {
    "keywords": 4.749,
    "chunk_score": 4.371,
    "chunk_similarity": 1.98,
    "chunk_keywords": 0.379,
    "chunk_rank": 0.5537,
    "coverage_in_context": 1.314,
    "stem_coverage": 5.046,
    "carried_over": 2.311,
    "kind": 1.768,
    "numbers": 0.8904,
    "length": 0.2492,
}

SECOND_LOOK_WEIGHTS: Final[Mapping[str, float]] = {
    "keywords": 2.346,
    "chunk_score": 3.011,
    "chunk_similarity": 1.085,
    "chunk_keywords": 0.7243,
    "chunk_rank": 0.3407,
    "coverage_in_context": 1.5,
    "stem_coverage": 3.544,
    "carried_over": 2.298,
    "kind": 1.704,
    "numbers": 1.047,
    "length": 0.2968,
    "similarity": 2.491,
}

CONFIDENCE: Final = Calibration(
    -7.696,
    {
        "chunk_similarity": 7.886,
        "similarity": 7.061,
        "title_similarity": -4.325,
        "stem_coverage": 2.761,
        "margin": -0.1942,
        "chunk_margin": 1.612,
    },
)

CONFIDENCE_OF_WORDS: Final = Calibration(
    -3.029,
    {
        "keywords": 6.096,
        "stem_coverage": 3.296,
        "chunk_coverage": -0.2847,
        "kind": 0.6788,
        "margin": -0.3316,
        "chunk_margin": 2.9,
    },
)
