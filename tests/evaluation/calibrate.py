"""Fit the constants of `shared/answers/calibration.py`: `python -m tests.evaluation.calibrate SET [SET …]` (K8, K13).

Learns from question sets with an answer key. A question is asked twice: of the whole set, and of the set without the
documents that answer it, which makes an unanswerable question about a familiar subject. Questions of
`queries_unanswerable.jsonl` come on top. Prints the figures of a cross-validation in which the looks and the
confidence are fitted on the other folds, then the constants fitted on everything. Then the same of a confidence for
times without an embedder: every question is asked by keywords, and passages are weighed by the first look alone.
"""

import argparse
import asyncio
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from shared.adapters.minilm.build_model import DEFAULT_FOLDER, build_model
from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.adapters.minilm.tokenizer import MiniLmTokenizer
from shared.answers.confidence import EXPECTED_ANSWERABLE, Signals
from shared.answers.evidence import (
    Evidence,
    look_at_words,
    look_once,
    look_twice,
    read_passages,
    to_embed,
    without_copies,
)
from shared.answers.query import AnswerQuery
from shared.answers.reading import FIRST_LOOK, SECOND_LOOK, Reading
from shared.answers.selection import select
from shared.answers.service import CHUNKS_FOUND, CHUNKS_READ
from shared.retrieval.ports import Embedder, Vector
from shared.retrieval.query import SearchMode
from tests.evaluation.answer_keys import AnswerSpan, read_answer_key
from tests.evaluation.direct import KB_ID, TENANT, canonical_text, fill
from tests.evaluation.fitting import Array, Flags, Linear, area_under_curve, fit_choice, fit_logistic, folds
from tests.evaluation.question_sets import read_question_set
from tests.evaluation.stores import open_store

FOLDS: Final = 5
CHOICE_PENALTY: Final = 3.0
CONFIDENCE_PENALTY: Final = 3.0
SENTENCES: Final = 3

IMPORTANCE: Final = {"xquad-en": 0.02, "xquad-en without": 0.02, "clapnq-a without": 0.0}
"""What a question of each source weighs for the confidence; 1 where nothing is said.

Questions written from a passage repeat its words, and a base without the passage is an easy case: both teach little
about what people ask. They count as much as it takes to keep the scale right for them.
"""

SIGNALS: Final = (
    "chunk_similarity", "similarity", "title_similarity", "stem_coverage", "margin", "chunk_margin",
)  # fmt: skip
"""The signals that the confidence weighs; the others got weights near nothing beside these, and only added noise."""

SIGNALS_OF_WORDS: Final = (
    "keywords", "stem_coverage", "chunk_coverage", "kind", "margin", "chunk_margin",
)  # fmt: skip
"""What is left of the signals where nothing can be embedded."""


@dataclass(slots=True)
class Case:
    """One question asked of one set, with or without its answer there."""

    source: str
    group: str
    is_answerable: bool
    reading: Reading
    is_right: Flags
    vectors: Mapping[str, Vector] = field(repr=False)

    def evidence(self, first: Linear, second: Linear) -> tuple[Evidence, list[int]]:
        chosen = look_once(self.reading, _named(FIRST_LOOK, first))
        asked = to_embed(self.reading, chosen)
        vectors = np.stack([self.vectors[text] for text in asked.texts])
        return look_twice(self.reading, chosen, asked.similarities(vectors), _named(SECOND_LOOK, second)), chosen

    def quotes_answer(self, evidence: Evidence, chosen: Sequence[int]) -> bool:
        right = {id(self.reading.passages[index]) for index in chosen if self.is_right[index]}
        return any(id(passage) in right for passage in select(evidence.passages, evidence.scores, SENTENCES))

    def second_look(self, first: Linear) -> tuple[Array, Flags]:
        chosen = look_once(self.reading, _named(FIRST_LOOK, first))
        asked = to_embed(self.reading, chosen)
        similarities, _ = asked.similarities(np.stack([self.vectors[text] for text in asked.texts]))
        return self.reading.second_look(chosen, similarities), self.is_right[chosen]


async def collect(
    folder: Path, embedder: MiniLmEmbedder, tokenizer: MiniLmTokenizer, mode: SearchMode = SearchMode.HYBRID
) -> list[Case]:
    """Return the cases of one question set, their chunks found in this mode; asked by keywords they have no vectors."""
    questions, key = read_question_set(folder), read_answer_key(folder)
    cases: list[Case] = []
    async with open_store("sqlite") as index:
        base = await fill(index, embedder, tokenizer, questions.documents)
        by_id = {found.id: found for found in questions.documents}
        texts = {(document, 1): canonical_text(by_id[set_id]) for document, set_id in base.set_ids.items()}
        for question in (*questions.questions, *questions.unanswerable):
            search = replace(AnswerQuery(question.text).to_search(CHUNKS_FOUND + 10), mode=mode)
            hits = (await base.search.search(TENANT, KB_ID, search)).hits
            spans = key.get(question.id, ())
            relevant = questions.relevant.get(question.id, frozenset())
            # Paragraphs of one article (`xq07-3`) stay in one fold; a question id may be a negative number.
            group = min(relevant).partition("-")[0] if relevant else question.id
            for is_answerable in (True, False) if relevant else (False,):
                name = questions.name if is_answerable or not relevant else f"{questions.name} without"
                left = [
                    ranked for ranked in hits if is_answerable or base.set_ids[ranked.hit.document_id] not in relevant
                ]
                read = without_copies(left[:CHUNKS_FOUND])[:CHUNKS_READ]
                reading = read_passages(question.text, read, texts)
                set_id_of = [base.set_ids[passage.document_id] for passage in reading.passages]
                is_right = np.array(
                    [
                        any(_answers(span, set_id, passage.start, passage.end) for span in spans)
                        for set_id, passage in zip(set_id_of, reading.passages, strict=True)
                    ]
                )
                cases.append(Case(name, group, is_answerable, reading, is_right, {}))
    if mode is not SearchMode.KEYWORD:
        vectors = await _vectors(cases, embedder)
        for case in cases:
            case.vectors = vectors
    return [case for case in cases if case.reading.passages]


def _answers(span: AnswerSpan, set_id: str, start: int, end: int) -> bool:
    if span.document != set_id:
        return False
    if span.is_short:
        return start <= span.start and span.end <= end
    return min(end, span.end) - max(start, span.start) > (span.end - span.start) / 2


async def _vectors(cases: Sequence[Case], embedder: Embedder) -> dict[str, Vector]:
    texts = sorted(
        {text for case in cases for text in to_embed(case.reading, range(len(case.reading.passages))).texts}, key=len
    )
    return dict(zip(texts, await embedder.embed(texts), strict=True))


def _named(names: Sequence[str], fitted: Linear) -> dict[str, float]:
    return dict(zip(names, fitted.weights.tolist(), strict=True))


def fit_looks(cases: Sequence[Case]) -> tuple[Linear, Linear]:
    """Fit both looks on the answerable cases."""
    answerable = [case for case in cases if case.is_answerable]
    first = fit_choice([(case.reading.first_look, case.is_right) for case in answerable], CHOICE_PENALTY)
    return first, fit_choice([case.second_look(first) for case in answerable], CHOICE_PENALTY)


def signal_rows(signals: Sequence[Signals], names: Sequence[str] = SIGNALS) -> Array:
    """Return an array of shape (len(signals), len(names))."""
    return np.array([[getattr(found, name) for name in names] for found in signals], dtype=np.float64)


def fit_confidence(cases: Sequence[Case], evidence: Sequence[Evidence], names: Sequence[str] = SIGNALS) -> Linear:
    """Fit the confidence, answerable and unanswerable cases weighing the same in sum."""
    raw = np.array([IMPORTANCE.get(case.source, 1.0) for case in cases])
    labels = np.array([case.is_answerable for case in cases])
    used = raw > 0
    weights = np.where(labels, raw / raw[labels].sum(), raw / raw[~labels].sum()) * raw.sum() / 2
    rows = signal_rows([found.signals for found in evidence], names)
    return fit_logistic(rows[used], labels[used], weights[used], CONFIDENCE_PENALTY)


def cross_validate(cases: Sequence[Case]) -> dict[str, float]:
    """Return figures of looks and confidence that never saw the group of the case they are used on."""
    fold_of = folds([case.group for case in cases], FOLDS)
    right, odds = np.zeros(len(cases), dtype=bool), np.zeros(len(cases))
    for fold in range(FOLDS):
        learned = [case for case, found in zip(cases, fold_of, strict=True) if found != fold]
        first, second = fit_looks(learned)
        confidence = fit_confidence(learned, [case.evidence(first, second)[0] for case in learned])
        for index in np.flatnonzero(fold_of == fold).tolist():
            evidence, chosen = cases[index].evidence(first, second)
            odds[index] = confidence(signal_rows([evidence.signals]))[0]
            right[index] = cases[index].quotes_answer(evidence, chosen)
    return _figures(cases, right, odds)


def cross_validate_words(cases: Sequence[Case], evidence: Sequence[Evidence]) -> dict[str, float]:
    """Return the figures of a confidence by words that never saw the group of the case it is used on.

    The first look is the shipped one: it was fitted with vectors at hand, and is what an outage finds in place.
    """
    fold_of = folds([case.group for case in cases], FOLDS)
    rows = signal_rows([found.signals for found in evidence], SIGNALS_OF_WORDS)
    odds = np.zeros(len(cases))
    for fold in range(FOLDS):
        learned = np.flatnonzero(fold_of != fold).tolist()
        confidence = fit_confidence(
            [cases[index] for index in learned], [evidence[index] for index in learned], SIGNALS_OF_WORDS
        )
        odds[fold_of == fold] = confidence(rows[fold_of == fold])
    right = np.array(
        [case.quotes_answer(found, look_once(case.reading)) for case, found in zip(cases, evidence, strict=True)]
    )
    return _figures(cases, right, odds)


def _figures(cases: Sequence[Case], right: Flags, odds: Array) -> dict[str, float]:
    is_answered = odds >= -math.log(EXPECTED_ANSWERABLE / (1 - EXPECTED_ANSWERABLE))
    figures: dict[str, float] = {}
    for source in sorted({case.source for case in cases}):
        here = np.array([case.source == source for case in cases])
        labels = np.array([case.is_answerable for case in cases])
        for name, side in (("answerable", here & labels), ("unanswerable", here & ~labels)):
            if side.any():
                figures[f"{source}: {name}, answered"] = float(is_answered[side].mean())
        if (here & labels).any():
            figures[f"{source}: answer quoted"] = float(right[here & labels].mean())
            figures[f"{source}: answered and answer quoted"] = float((right & is_answered)[here & labels].mean())
        if (here & labels).any() and (here & ~labels).any():
            figures[f"{source}: abstention AUC"] = area_under_curve(odds[here], labels[here])
    return {name: round(value, 4) for name, value in figures.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fit the constants of the answerer on question sets.")
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, default=DEFAULT_FOLDER)
    options = parser.parse_args(arguments)
    build_model(options.model)
    embedder, tokenizer = MiniLmEmbedder(options.model), MiniLmTokenizer(options.model)
    cases = [case for folder in options.sets for case in asyncio.run(collect(folder, embedder, tokenizer))]
    for name, value in cross_validate(cases).items():
        print(f"# {name} {value}")
    first, second = fit_looks(cases)
    confidence = fit_confidence(cases, [case.evidence(first, second)[0] for case in cases])
    _print_constant("FIRST_LOOK_WEIGHTS", FIRST_LOOK, first)
    _print_constant("SECOND_LOOK_WEIGHTS", SECOND_LOOK, second)
    _print_constant(f"CONFIDENCE (intercept {confidence.intercept:.4g})", SIGNALS, confidence)

    by_words = [
        case
        for folder in options.sets
        for case in asyncio.run(collect(folder, embedder, tokenizer, SearchMode.KEYWORD))
    ]
    evidence = [look_at_words(case.reading, look_once(case.reading)) for case in by_words]
    for name, value in cross_validate_words(by_words, evidence).items():
        print(f"# by words: {name} {value}")
    confidence = fit_confidence(by_words, evidence, SIGNALS_OF_WORDS)
    _print_constant(f"CONFIDENCE_OF_WORDS (intercept {confidence.intercept:.4g})", SIGNALS_OF_WORDS, confidence)
    return 0


def _print_constant(constant: str, names: Sequence[str], fitted: Linear) -> None:
    print(constant)
    for name, weight in zip(names, fitted.weights.tolist(), strict=True):
        print(f'    "{name}": {weight:.4g},')


if __name__ == "__main__":
    sys.exit(main())
