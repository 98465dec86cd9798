"""How good answers are on a question set: `python -m tests.evaluation.answers --set DIR --json` (K8, K13).

Every document of the set goes the whole way from the bucket into a fresh knowledge base; every question goes to the
answer service. Prints figures; with `--json`, one object on the last line of standard output.
"""

import argparse
import asyncio
import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from shared.answers.citations import Citation
from shared.answers.confidence import Outcome
from shared.answers.query import DEFAULT_SENTENCES, MOST_SENTENCES, AnswerQuery
from shared.answers.service import Answer
from shared.kernel.ids import DocumentId
from shared.operations.tenants import within
from shared.retrieval.query import LONGEST_QUERY
from tests.evaluation.answer_keys import AnswerSpan, read_answer_key
from tests.evaluation.calibrate import CONFIDENCE_PENALTY, FOLDS, signal_rows
from tests.evaluation.fitting import (
    Array,
    Flags,
    area_under_curve,
    fit_logistic,
    out_of_fold,
    risk_at_coverage,
)
from tests.evaluation.library import STORES, TENANT, Library, open_library
from tests.evaluation.metrics import mean, percentiles
from tests.evaluation.question_sets import Question, QuestionSet, read_question_set, set_folder
from tests.evaluation.retrieval import as_html, file_name, set_ids_of

COVERAGES: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
REPEATS: Final = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the set and what the knowledge base said to it."""

    question: Question
    is_answerable: bool
    answer: Answer


async def evaluate(
    questions: QuestionSet, key: Mapping[str, Sequence[AnswerSpan]], store: str, most: int
) -> dict[str, Any]:
    """Take the set in, ask every question, and return the figures."""
    async with open_library(store) as library:
        taken_in = await library.add({file_name(found): as_html(found) for found in questions.documents})
        asked = [
            Asked(question, is_answerable, await ask(library, question.text, most))
            for is_answerable, group in ((True, questions.questions), (False, questions.unanswerable))
            for question in group
        ]
        exact = await share_of_exact_citations(library, [found.answer for found in asked])
        set_ids = set_ids_of(questions, taken_in)
    figures: dict[str, Any] = {
        "set": questions.name,
        "store": store,
        "questions": len(questions.questions),
        "unanswerable": len(questions.unanswerable),
        "documents": Counter(str(found.status) for found in taken_in.values()),
        "citations_exact": exact,
        "outcomes_answerable": _outcomes(asked, is_answerable=True),
        "outcomes_unanswerable": _outcomes(asked, is_answerable=False),
        "max_sentences": most,
        "stages_ms": percentiles([found.answer.timings_ms for found in asked]),
    }
    return figures | _in_citations(asked, key, set_ids) | _abstention(asked)


async def ask(library: Library, question: str, most: int = DEFAULT_SENTENCES) -> Answer:
    """Return the answer of the knowledge base, which must not be a degraded one."""
    with within(TENANT):
        answer = await library.services.answers.answer(
            TENANT, library.kb_id, AnswerQuery(question[:LONGEST_QUERY], sentences=most)
        )
    if answer.degraded:
        raise RuntimeError(f"A degraded answer cannot be scored: {answer.degraded}")
    return answer


async def share_of_exact_citations(library: Library, answers: Iterable[Answer]) -> float:
    """Return the share of citations, near misses included, whose quote stands at their span.

    The text is asked for as anybody would check a citation, not from what the answerer had in hand.
    """
    said = {citation for answer in answers for citation in (*answer.citations, *answer.near_misses)}
    checked = []
    for citation in sorted(said, key=lambda found: (found.document_id, found.start, found.end)):
        with within(TENANT):
            there = await library.services.texts.around(
                TENANT,
                library.kb_id,
                citation.document_id,
                start=citation.start,
                end=citation.end,
                context=0,
                generation=citation.generation,
            )
        checked.append(float(bool(citation.quote) and there.window.quote == citation.quote))
    return mean(checked)


def comparable(text: str) -> str:
    """Return `text` as texts are compared when white space and compatibility forms do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _in_citations(
    asked: Sequence[Asked], key: Mapping[str, Sequence[AnswerSpan]], set_ids: Mapping[DocumentId, Sequence[str]]
) -> dict[str, float]:
    """Return how often a short answer of the key stands in a quotation of an `answered` result."""
    anywhere, in_its_document, regardless = [], [], []
    for found in asked:
        spans = [span for span in key.get(found.question.id, ()) if span.is_short]
        if not spans:
            continue
        is_answered = found.answer.outcome is Outcome.ANSWERED
        quotes = found.answer.citations or found.answer.near_misses
        is_quoted = any(_quotes(citation, span) for citation in quotes for span in spans)
        anywhere.append(float(is_answered and is_quoted))
        regardless.append(float(is_quoted))
        in_its_document.append(
            float(
                is_answered
                and any(
                    _quotes(citation, span) and span.document in set_ids.get(citation.document_id, ())
                    for citation in quotes
                    for span in spans
                )
            )
        )
    if not anywhere:
        return {}
    return {
        "answer_in_citations": mean(anywhere),
        "answer_in_citations_of_its_document": mean(in_its_document),
        "answer_in_quotations_whatever_the_outcome": mean(regardless),
    }


def _quotes(citation: Citation, span: AnswerSpan) -> bool:
    return comparable(span.text) in comparable(citation.quote)


def _abstention(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return how well answerable questions are told from others.

    `abstention_auc` is cross-validated: the weights of the signals are fitted anew, on the other folds of this set.
    `abstention_auc_shipped` is that of the confidence which callers see. `risk_at_coverage` is the share of
    unanswerable questions among the most confident ones.
    """
    labels = np.array([found.is_answerable for found in asked])
    if labels.all():
        return {}
    shipped = np.array([found.answer.confidence for found in asked])
    signals = [found.answer.signals for found in asked if found.answer.signals is not None]
    told = np.array([found.answer.signals is not None for found in asked])
    rows, known = signal_rows(signals), labels[told]
    groups = [found.question.id for found in asked if found.answer.signals is not None]
    odds = np.full(len(asked), -np.inf)
    odds[told] = np.mean([_refitted(rows, known, groups, salt=str(repeat)) for repeat in range(REPEATS)], axis=0)
    return {
        "abstention_auc": round(area_under_curve(odds, labels), 4),
        "abstention_auc_shipped": round(area_under_curve(shipped, labels), 4),
        "risk_at_coverage": {
            str(coverage): round(risk_at_coverage(shipped, labels, coverage), 4) for coverage in COVERAGES
        },
    }


def _refitted(rows: Array, labels: Flags, groups: Sequence[str], salt: str) -> Array:
    def fit(learned: Flags) -> Any:
        model = fit_logistic(rows[learned], labels[learned], np.ones(int(learned.sum())), CONFIDENCE_PENALTY)
        return lambda held_out: model(rows[held_out])

    return out_of_fold(groups, FOLDS, fit, salt)


def _outcomes(asked: Sequence[Asked], *, is_answerable: bool) -> dict[str, float]:
    counted = Counter(str(found.answer.outcome) for found in asked if found.is_answerable is is_answerable)
    return {outcome: round(count / counted.total(), 4) for outcome, count in sorted(counted.items())}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Score answers on a question set with an answer key.")
    parser.add_argument("--set", type=set_folder, required=True, help="folder with corpus, queries, qrels and answers")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--sentences", type=int, choices=range(1, MOST_SENTENCES + 1), default=DEFAULT_SENTENCES)
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args(arguments)
    figures = asyncio.run(
        evaluate(read_question_set(options.set), read_answer_key(options.set), options.store, options.sentences)
    )
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>42}  {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
