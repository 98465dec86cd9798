"""How good search is on a question set: `python -m tests.evaluation.retrieval --set DIR --json` (K13).

Prints figures; with `--json`, one object on the last line of standard output.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from shared.adapters.minilm.build_model import DEFAULT_FOLDER, build_model
from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.adapters.minilm.tokenizer import MiniLmTokenizer
from shared.retrieval.fusion import Fusion
from shared.retrieval.query import LONGEST_QUERY, SearchMode, SearchQuery
from tests.evaluation.direct import KB_ID, TENANT, FilledBase, fill
from tests.evaluation.metrics import mean, ndcg, percentiles, recall
from tests.evaluation.question_sets import QuestionSet, read_question_set
from tests.evaluation.stores import STORES, open_store

TIMED_QUESTIONS: Final = 200


async def evaluate(questions: QuestionSet, store: str, template: SearchQuery, model: Path) -> dict[str, Any]:
    """Index the set into a fresh store and ask every question; return the figures."""
    build_model(model)
    async with open_store(store) as index:
        base = await fill(index, MiniLmEmbedder(model), MiniLmTokenizer(model), questions.documents)
        rankings = {
            question.id: await ranked_documents(base, _asking(template, question.text, limit=100))
            for question in questions.questions
        }
        timings = [
            (await base.search.search(TENANT, KB_ID, _asking(template, question.text, limit=5))).timings_ms
            for question in questions.questions[:TIMED_QUESTIONS]
        ]
    return {
        "set": questions.name,
        "store": store,
        "mode": str(template.mode),
        "ndcg_at_10": mean(ndcg(rankings[asked.id], questions.relevant[asked.id]) for asked in questions.questions),
        "recall_at_100": mean(
            recall(rankings[asked.id], questions.relevant[asked.id]) for asked in questions.questions
        ),
        "questions": len(questions.questions),
        "documents": len(questions.documents),
        "chunks": base.chunks,
        "indexing_s": round(base.seconds, 2),
        "stages_ms": percentiles(timings),
    }


async def ranked_documents(base: FilledBase, query: SearchQuery) -> list[str]:
    """Return the set's ids of the documents found, best first; a document is as good as its best chunk."""
    result = await base.search.search(TENANT, KB_ID, query)
    if result.degraded:
        raise RuntimeError(f"A degraded search cannot be scored: {result.degraded}")
    return list(dict.fromkeys(base.set_ids[ranked.hit.document_id] for ranked in result.hits))


def _asking(template: SearchQuery, text: str, limit: int) -> SearchQuery:
    return SearchQuery(
        text[:LONGEST_QUERY],
        template.mode,
        limit=limit,
        fusion=template.fusion,
        vector_weight=template.vector_weight,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Score search on a question set in BEIR's layout.")
    parser.add_argument("--set", type=Path, required=True, help="folder with corpus, queries and qrels")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--mode", choices=[str(mode) for mode in SearchMode], default=str(SearchMode.HYBRID))
    parser.add_argument("--fusion", choices=[str(fusion) for fusion in Fusion], default=str(Fusion.MIN_MAX))
    parser.add_argument("--vector-weight", type=float, help="instead of a new knowledge base's own")
    parser.add_argument("--model", type=Path, default=DEFAULT_FOLDER, help="folder of the embedding model")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args(arguments)
    template = SearchQuery(
        "anything",
        SearchMode(options.mode),
        fusion=Fusion(options.fusion),
        vector_weight=options.vector_weight,
    )
    figures = asyncio.run(evaluate(read_question_set(options.set), options.store, template, options.model))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>14}  {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
