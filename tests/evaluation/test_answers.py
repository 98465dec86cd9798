"""The harness of answers drives the real way and says what is true; its fits find what they should (K8, K13)."""

import json

import numpy as np
import pytest

from tests.evaluation import answers, documents
from tests.evaluation.answer_keys import read_answer_key
from tests.evaluation.fitting import (
    area_under_curve,
    fit_choice,
    fit_logistic,
    folds,
    out_of_fold,
    risk_at_coverage,
)

RANDOM = np.random.default_rng(7)


@pytest.fixture
def small_set(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    text = "The tenancy ends in writing. The notice period is 30 days. Keys are handed back."
    start = text.index("30 days")
    files: dict[str, list[dict[str, object]]] = {
        "corpus.jsonl": [
            {"_id": "d1", "title": "Terms", "text": text},
            {"_id": "d2", "title": "Menu", "text": "Soup of the day is served at noon."},
        ],
        "queries.jsonl": [{"_id": "q1", "text": "How long is the notice period?"}],
        "queries_unanswerable.jsonl": [{"_id": f"u{n}", "text": f"Who painted {n} horses?"} for n in range(10)],
        "answers.jsonl": [
            {"query_id": "q1", "doc_id": "d1", "answer": "30 days", "start": start, "end": start + 7},
        ],
    }
    for name, rows in files.items():
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n", "utf-8")
    return folder


def test_a_key_holds_short_answers_and_gold_sentences(tmp_path):
    rows = [
        {"query_id": "a", "doc_id": "d", "answer": "30", "start": 4, "end": 6},
        {"query_id": "b", "doc_id": "d", "evidence": [{"start": 0, "end": 9, "text": "It is 30."}]},
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")

    key = read_answer_key(tmp_path)

    assert [(span.text, span.is_short) for spans in key.values() for span in spans] == [
        ("30", True),
        ("It is 30.", False),
    ]


def test_area_under_the_curve_counts_ties_half():
    labels = np.array([True, True, False, False])

    assert area_under_curve(np.array([4.0, 3.0, 2.0, 1.0]), labels) == 1
    assert area_under_curve(np.array([1.0, 1.0, 1.0, 1.0]), labels) == 0.5
    assert area_under_curve(np.array([2.0, 1.0, 2.0, 0.0]), labels) == 0.625


def test_risk_is_that_of_the_most_confident():
    is_right = np.array([True, False, True, False])

    assert risk_at_coverage(np.array([4.0, 1.0, 3.0, 2.0]), is_right, 0.5) == 0
    assert risk_at_coverage(np.array([4.0, 1.0, 3.0, 2.0]), is_right, 1.0) == 0.5


def test_a_logistic_finds_the_weights_that_made_the_labels():
    features = RANDOM.normal(size=(4000, 2)) * [1, 5] + [0, 3]
    odds = features @ np.array([2.0, -0.4]) + 1
    labels = RANDOM.random(4000) < 1 / (1 + np.exp(-odds))

    fitted = fit_logistic(features, labels, np.ones(4000), penalty=0.1)

    assert fitted.weights == pytest.approx([2.0, -0.4], abs=0.15)
    assert fitted.intercept == pytest.approx(1, abs=0.2)


def test_a_choice_model_finds_what_makes_rows_chosen():
    questions = []
    for _ in range(1500):
        rows = RANDOM.normal(size=(5, 2))
        shares = np.exp(rows @ np.array([1.5, -0.5]))
        flags = np.zeros(5, dtype=bool)
        flags[RANDOM.choice(5, p=shares / shares.sum())] = True
        questions.append((rows, flags))

    assert fit_choice(questions, penalty=0.1).weights == pytest.approx([1.5, -0.5], abs=0.15)


def test_no_group_is_scored_by_a_model_that_saw_it():
    groups = [f"article {number % 7}" for number in range(70)]

    def fit(learned):
        seen = {group for group, is_learned in zip(groups, learned, strict=True) if is_learned}
        return lambda held_out: np.array([float(groups[at] in seen) for at in np.flatnonzero(held_out)])

    assert not out_of_fold(groups, 3, fit).any()
    assert (folds(groups, 3) == folds(groups, 3)).all()


@pytest.mark.real_server
@pytest.mark.slow
def test_a_set_is_answered_the_whole_way(small_set, capsys):
    assert answers.main(["--set", str(small_set), "--json"]) == 0

    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["answer_in_citations"], figures["citations_exact"]) == (1.0, 1.0)
    assert figures["answer_in_citations_of_its_document"] == 1.0
    assert figures["outcomes_answerable"] == {"answered": 1.0}
    assert figures["outcomes_unanswerable"] == {"no_evidence": 1.0}
    assert figures["abstention_auc_shipped"] == 1.0
    assert figures["risk_at_coverage"]["1.0"] == pytest.approx(10 / 11, abs=1e-3)


@pytest.mark.real_server
@pytest.mark.slow
def test_facts_are_followed_from_the_file_to_the_citation(tmp_path, capsys):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "terms.md").write_text("# Terms\n\nThe notice period\nis 30 days. Keys are handed back.\n", "utf-8")
    (folder / "prices.csv").write_text("Drink,Price\nTea,2.50\nCoffee,3.10\n", "utf-8")
    (folder / "README.md").write_text("Not one of the documents.", "utf-8")
    facts = [
        {"question": "How long is the notice period?", "document": "terms.md", "quote": "notice period is 30 days"},
        {"question": "What is the price of coffee?", "document": "prices.csv", "quote": "3.10", "page": 9},
    ]
    file = tmp_path / "facts.jsonl"
    file.write_text("".join(json.dumps(fact) + "\n" for fact in facts), "utf-8")

    assert documents.main(["--documents", str(folder), "--facts", str(file), "--json"]) == 0

    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["documents"] == {"prices.csv": "ready", "terms.md": "ready"}
    assert (figures["quote_in_text"], figures["in_top_5"], figures["cited"]) == (1.0, 1.0, 1.0)
    assert figures["right_page"] == 0.0
    assert figures["citations_exact"] == 1.0
