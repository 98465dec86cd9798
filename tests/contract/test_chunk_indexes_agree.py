"""The two stores differ in speed, not in what they find: the same chunks, the same questions, both asked."""

import secrets
import statistics
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
from shared.adapters.opensearch.client import connect
from shared.adapters.opensearch.layout import IndexLayout
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.retrieval.ports import Hit
from tests.contract.chunks import ACME, batches, chunk, document, scope, unit_vector
from tests.evaluation.metrics import ndcg
from tests.evaluation.question_sets import QuestionSet, read_question_set
from tests.shared_data import require_shared_data

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

HOME = scope()
DIMENSIONS = 64
QUESTIONS = 225


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores, filled with the documents of one question set, a chunk each."""

    sqlite: SqliteChunkIndex
    opensearch: OpenSearchChunkIndex
    questions: QuestionSet


@pytest.fixture(params=["cranfield", "xquad-en", "clapnq-a"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path, opensearch_address: str) -> AsyncIterator[Stores]:
    questions = read_question_set(require_shared_data() / "retrieval" / request.param)
    client = connect(opensearch_address)
    layout = IndexLayout(f"agree-{secrets.token_hex(6)}", DIMENSIONS, replicas=0)
    filled = Stores(SqliteChunkIndex(tmp_path / "chunks.sqlite"), OpenSearchChunkIndex(client, layout), questions)
    chunks = [
        chunk(number, found.text, context=found.title, vector=unit_vector(found.id, DIMENSIONS))
        for number, found in enumerate(questions.documents)
    ]
    for index in (filled.sqlite, filled.opensearch):
        for batch in batches(chunks):
            await index.write(ACME, HOME, batch)
        await index.refresh(ACME, HOME)
    yield filled
    client.indices.delete(index=layout.physical_name)
    client.close()
    filled.sqlite.close()


async def test_stores_find_the_same_by_keyword(stores: Stores) -> None:
    set_id_of = {document(number): found.id for number, found in enumerate(stores.questions.documents)}

    overlaps, differences = [], []
    for question in stores.questions.questions[:QUESTIONS]:
        left = await stores.sqlite.search_keyword(ACME, HOME, question.text, 10)
        right = await stores.opensearch.search_keyword(ACME, HOME, question.text, 10)
        relevant = stores.questions.relevant[question.id]
        gains = [ndcg([set_id_of[hit.document_id] for hit in hits], relevant) for hits in (left, right)]
        overlaps.append(overlap(left, right))
        differences.append(gains[0] - gains[1])

    print(f"top-10 overlap {statistics.mean(overlaps):.4f}, nDCG difference {statistics.mean(differences):+.5f}")
    assert statistics.mean(overlaps) >= 0.95
    assert abs(statistics.mean(differences)) <= 0.005


async def test_stores_find_the_same_by_vector(stores: Stores) -> None:
    overlaps = []
    for question in stores.questions.questions[:QUESTIONS]:
        vector = unit_vector(question.text, DIMENSIONS)
        left = await stores.sqlite.search_vector(ACME, HOME, vector, 10)
        right = await stores.opensearch.search_vector(ACME, HOME, vector, 10)
        overlaps.append(overlap(left, right))

    assert statistics.mean(overlaps) >= 0.95


def overlap(left: Sequence[Hit], right: Sequence[Hit]) -> float:
    """Return how much of the longer list is in both; 1 for two empty ones."""
    found = ({hit.chunk_id for hit in left}, {hit.chunk_id for hit in right})
    return len(found[0] & found[1]) / max(len(found[0]), len(found[1]), 1) if any(found) else 1.0
