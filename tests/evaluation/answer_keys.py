"""Where the answers of a question set stand: spans of its documents (K13)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.evaluation.question_sets import read_lines


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """A span of a document's text. `text` is the answer itself, or a sentence that gives it when not `is_short`."""

    document: str
    start: int
    end: int
    text: str
    is_short: bool


def read_answer_key(folder: Path) -> Mapping[str, tuple[AnswerSpan, ...]]:
    """Return the spans that answer each question of the set in `folder`, by question id; empty without a key.

    `answers.jsonl` holds short answers (`answer, start, end`) or gold sentences (`evidence`).
    """
    found: dict[str, list[AnswerSpan]] = {}
    for row in read_lines(folder / "answers.jsonl"):
        spans = found.setdefault(row["query_id"], [])
        if "answer" in row:
            spans.append(AnswerSpan(row["doc_id"], row["start"], row["end"], row["answer"], is_short=True))
        for sentence in row.get("evidence", ()):
            spans.append(
                AnswerSpan(row["doc_id"], sentence["start"], sentence["end"], sentence["text"], is_short=False)
            )
    return {question: tuple(spans) for question, spans in found.items()}
