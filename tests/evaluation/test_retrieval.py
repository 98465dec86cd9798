"""The harness reads sets rightly and drives the real way; search holds its bar on one public set (K7, K13)."""

import json

import pytest

from shared.adapters.minilm.build_model import DEFAULT_FOLDER, build_model
from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.adapters.minilm.tokenizer import MiniLmTokenizer
from shared.retrieval.query import SearchQuery
from tests.evaluation.direct import KB_ID, TENANT, fill
from tests.evaluation.library import STORES
from tests.evaluation.metrics import mean, ndcg, percentiles, recall
from tests.evaluation.question_sets import read_question_set
from tests.evaluation.retrieval import main
from tests.evaluation.stores import open_store
from tests.shared_data import require_shared_data


@pytest.fixture
def small_set(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    files = {
        "corpus.jsonl": [
            {"_id": "d1", "title": "Terms", "text": "The notice period is 30 days & <counts> from Monday."},
            {"_id": "d2", "title": "", "text": "Soup of the day."},
            {"_id": "d3", "title": "Nothing", "text": ""},
        ],
        "corpus_distractors.jsonl": [{"_id": "d4", "title": "Board", "text": "The notice board hangs in the hall."}],
        "queries.jsonl": [{"_id": "q1", "text": "notice period"}, {"_id": "q2", "text": "never judged"}],
        "queries_unanswerable.jsonl": [{"_id": "u1", "text": "Who wrote it?"}],
    }
    for name, rows in files.items():
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t3\nq1\td2\t0\n", "utf-8")
    return folder


def test_a_set_is_read_with_its_distractors_and_without_unjudged_questions(small_set):
    questions = read_question_set(small_set)

    assert [found.id for found in questions.documents] == ["d1", "d2", "d3", "d4"]
    assert [asked.id for asked in questions.questions] == ["q1"]
    assert questions.relevant == {"q1": {"d1"}}
    assert [asked.id for asked in questions.unanswerable] == ["u1"]


def test_figures_of_merit():
    assert ndcg(["b", "a"], {"a"}) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg(["a", "x", "b"], {"a", "b"}) == pytest.approx(1.5 / 1.6309, abs=1e-4)
    assert ndcg(["x"] * 10 + ["a"], {"a"}) == 0
    assert recall(["a", "x"], {"a", "b"}) == 0.5
    assert mean([1, 0, 0]) == 0.3333
    assert percentiles([{"total": 1.0}, {"total": 3.0, "embed": 2.0}]) == {
        "embed": {"p50": 2.0, "p95": 2.0},
        "total": {"p50": 2.0, "p95": 2.9},
    }


def test_folder_that_is_no_set_is_told_what_it_lacks(small_set, capsys):
    (small_set / "qrels.tsv").unlink()

    with pytest.raises(SystemExit):
        main(["--set", str(small_set)])

    assert "small holds no qrels.tsv" in capsys.readouterr().err


@pytest.mark.real_server
@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_a_set_goes_the_whole_way_and_the_figures_stand_on_the_last_line(small_set, capsys, store):
    assert main(["--set", str(small_set), "--store", store, "--json"]) == 0

    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["ndcg_at_10"], figures["recall_at_100"]) == (1.0, 1.0)
    assert figures["documents"] == {"ready": 3, "rejected": 1}
    assert figures["stages_ms"].keys() >= {"scope", "embed", "keyword", "vector", "fuse", "verify", "total"}


@pytest.mark.slow
async def test_hybrid_search_holds_its_bar_on_xquad():
    folder = require_shared_data() / "retrieval" / "xquad-en"
    build_model(DEFAULT_FOLDER)
    questions = read_question_set(folder)

    async with open_store("sqlite") as index:
        base = await fill(index, MiniLmEmbedder(DEFAULT_FOLDER), MiniLmTokenizer(DEFAULT_FOLDER), questions.documents)
        gains = []
        for asked in questions.questions:
            result = await base.search.search(TENANT, KB_ID, SearchQuery(asked.text, limit=20))
            found = dict.fromkeys(base.set_ids[ranked.hit.document_id] for ranked in result.hits)
            gains.append(ndcg(list(found), questions.relevant[asked.id]))

    assert mean(gains) >= 0.978
