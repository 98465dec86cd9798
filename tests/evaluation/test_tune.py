"""Tuning finds the weight that a set favours, and does not praise a weight that chance favours (K13)."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from shared.retrieval.fusion import DEFAULT_VECTOR_WEIGHT
from tests.evaluation.question_sets import Question, QuestionSet
from tests.evaluation.tune import LegScores, advice, main, picture, tune

RANDOM = np.random.default_rng(11)


def made_of(count: int, favoured: str) -> tuple[QuestionSet, list[LegScores]]:
    """Return a set and legs of which `favoured` finds the relevant document and the other one any document."""
    names = [f"d{number}" for number in range(30)]
    questions, legs, relevant = [], [], {}
    for number in range(count):
        wanted = names[RANDOM.integers(30)]
        noise = {name: float(RANDOM.random()) for name in names}
        told = noise | {wanted: 1.5}
        other = {name: float(RANDOM.random()) for name in names}
        keyword, vector = {"keyword": (told, other), "vector": (other, told), "neither": (noise, other)}[favoured]
        questions.append(Question(f"q{number}", "anything"))
        relevant[f"q{number}"] = frozenset({wanted})
        legs.append(LegScores(keyword, vector, {name: [name] for name in names}))
    return QuestionSet("made", (), tuple(questions), relevant, ()), legs


@pytest.mark.parametrize(("favoured", "lowest", "highest"), [("keyword", 0, 0.3), ("vector", 0.7, 1)])
def test_the_leg_that_finds_more_gets_more_weight(favoured, lowest, highest):
    tuning = tune(*made_of(150, favoured), current=0.5)

    assert lowest <= tuning.best <= highest
    assert tuning.is_worth_it
    assert tuning.gain > 0.05
    assert f'"vector_weight": {tuning.best}' in advice(tuning)


def test_a_best_weight_by_chance_is_not_recommended():
    """Of twenty-one equally useless weights one is always best; on other questions it is not."""
    tuning = tune(*made_of(60, "neither"), current=0.5)

    assert max(tuning.figures) > tuning.figures[tuning.weights.index(0.5)]
    assert not tuning.is_worth_it
    assert advice(tuning).startswith("Keep 0.5")


def test_a_weight_in_use_off_the_grid_is_compared_too():
    tuning = tune(*made_of(20, "vector"), current=0.123)

    assert 0.123 in tuning.weights
    assert len(tuning.weights) == 22


def test_one_question_cannot_be_held_out_of_itself():
    with pytest.raises(ValueError, match="two questions"):
        tune(*made_of(1, "vector"), current=0.5)


def test_the_picture_has_a_bar_per_weight_and_marks_best_and_now():
    tuning = tune(*made_of(50, "vector"), current=0.5)
    shown = io.StringIO()

    Console(width=100, file=shown).print(picture(tuning))

    lines = shown.getvalue().splitlines()
    assert len(lines) == 1 + len(tuning.weights)
    best, now = [next(line for line in lines if line.rstrip().endswith(mark)) for mark in ("best", "now")]
    assert best.count("█") == 40 > now.count("█")


@pytest.mark.real_server
@pytest.mark.slow
def test_a_set_is_tuned_the_whole_way(tmp_path, capsys):
    corpus = [
        {"_id": "d1", "title": "Terms", "text": "The notice period is 30 days."},
        {"_id": "d2", "title": "Menu", "text": "Soup of the day."},
    ]
    queries = [{"_id": "q1", "text": "notice period"}, {"_id": "q2", "text": "soup"}]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n", "utf-8")

    assert main(["--set", str(tmp_path), "--json"]) == 0

    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(figures["ndcg_at_10_by_weight"].values()) == {1.0}
    assert (figures["current_weight"], figures["is_worth_it"]) == (DEFAULT_VECTOR_WEIGHT, False)
