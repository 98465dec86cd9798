"""Question sets in BEIR's layout (K13)."""

import argparse
import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SetDocument:
    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Documents, the questions that have a relevant one, which those are, and questions that have no answer at all."""

    name: str
    documents: tuple[SetDocument, ...]
    questions: tuple[Question, ...]
    relevant: Mapping[str, frozenset[str]]
    unanswerable: tuple[Question, ...]


def set_folder(text: str) -> Path:
    """Return the folder of a question set. Raises: argparse.ArgumentTypeError when a file is missing in it."""
    folder = Path(text)
    missing = [name for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv") if not (folder / name).is_file()]
    if missing:
        raise argparse.ArgumentTypeError(f"{folder} holds no {', '.join(missing)}; a set has BEIR's layout")
    return folder


def read_question_set(folder: Path) -> QuestionSet:
    """Read a folder with `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`.

    `corpus_distractors.jsonl` is indexed too, `queries_unanswerable.jsonl` kept apart; both may be absent. Every grade
    above 0 counts as relevant. Questions without a judgement are left out.
    """
    relevant: dict[str, set[str]] = {}
    with (folder / "qrels.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if int(row["score"]) > 0:
                relevant.setdefault(row["query-id"], set()).add(row["corpus-id"])
    documents = [
        SetDocument(row["_id"], row.get("title") or "", row["text"])
        for name in ("corpus.jsonl", "corpus_distractors.jsonl")
        for row in read_lines(folder / name)
    ]
    return QuestionSet(
        folder.name,
        tuple(documents),
        tuple(question for question in _questions(folder / "queries.jsonl") if question.id in relevant),
        {question: frozenset(found) for question, found in relevant.items()},
        tuple(_questions(folder / "queries_unanswerable.jsonl")),
    )


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON-lines file; nothing where there is no file."""
    if file.exists():
        with file.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.strip())


def _questions(file: Path) -> Iterator[Question]:
    return (Question(row["_id"], row["text"]) for row in read_lines(file))
