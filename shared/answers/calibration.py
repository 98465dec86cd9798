"""Constants of the answerer, fitted by `python -m tests.evaluation.calibrate`; that script says from what and how well.

Never edited by hand: run the script and paste what it prints.
"""

from collections.abc import Mapping
from typing import Final

from shared.answers.confidence import Calibration

FIRST_LOOK_WEIGHTS: Final[Mapping[str, float]] = {"keywords": 1.0, "chunk_score": 1.0, "stem_coverage": 1.0}

SECOND_LOOK_WEIGHTS: Final[Mapping[str, float]] = {
    "keywords": 1.0, "chunk_score": 1.0, "stem_coverage": 1.0, "similarity": 1.0,
}  # fmt: skip

CONFIDENCE: Final = Calibration(-5.0, {"chunk_similarity": 8.0})
