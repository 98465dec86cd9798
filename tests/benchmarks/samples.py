"""Texts to measure on."""

import json
from pathlib import Path
from typing import Final

from tests.shared_data import DATA

MODEL: Final = Path(__file__).resolve().parents[2] / ".tessera" / "model"


SETS: Final = ("cranfield", "xquad-en", "clapnq-a")


def passages(count: int) -> list[str]:
    """Return `count` passages, as many of each question set; they repeat when a set has fewer."""
    return _in_turn("corpus.jsonl", count)


def questions(count: int) -> list[str]:
    """Return `count` questions, as many of each question set."""
    return _in_turn("queries.jsonl", count)


def _in_turn(file: str, count: int) -> list[str]:
    by_set = []
    for name in SETS:
        lines = (DATA / "retrieval" / name / file).read_text(encoding="utf-8").splitlines()
        by_set.append([text for text in (json.loads(line)["text"] for line in lines) if text])
    return [texts[number % len(texts)] for number in range(-(-count // len(SETS))) for texts in by_set][:count]
