"""Texts to measure on."""

import json
from pathlib import Path
from typing import Final

from tests.shared_data import DATA

MODEL: Final = Path(__file__).resolve().parents[2] / ".tessera" / "model"


def passages(count: int) -> list[str]:
    """Return `count` passages of the Cranfield set; they repeat when it has fewer."""
    lines = (DATA / "retrieval" / "cranfield" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [text for text in (json.loads(line)["text"] for line in lines) if text]
    return [texts[number % len(texts)] for number in range(count)]
