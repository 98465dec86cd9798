"""How good search is on a question set: `python -m tests.evaluation.retrieval --set DIR --json` (K13).

Every document of the set becomes a file and goes the whole way from the bucket into a fresh knowledge base; every
question goes to the search service. Prints figures; with `--json`, one object on the last line of standard output.
"""

import argparse
import asyncio
import html
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, Final

from shared.kernel.ids import DocumentId
from shared.knowledge.descriptions import DocumentDescription
from shared.knowledge.models import DocumentStatus
from shared.retrieval.fusion import Fusion
from shared.retrieval.query import LONGEST_QUERY, SearchMode, SearchQuery
from tests.evaluation.library import STORES, Library, open_library
from tests.evaluation.metrics import mean, ndcg, percentiles, recall
from tests.evaluation.question_sets import QuestionSet, SetDocument, read_question_set, set_folder

TIMED_QUESTIONS: Final = 200


async def evaluate(questions: QuestionSet, store: str, template: SearchQuery) -> dict[str, Any]:
    """Take the set in, ask every question, and return the figures."""
    async with open_library(store) as library:
        started = perf_counter()
        taken_in = await library.add({file_name(found): as_html(found) for found in questions.documents})
        seconds = perf_counter() - started
        set_ids = set_ids_of(questions, taken_in)
        rankings = {
            asked.id: await _ranked_documents(library, set_ids, _asking(template, asked.text, limit=100))
            for asked in questions.questions
        }
        timings = [
            (await library.search(_asking(template, asked.text, limit=5))).timings_ms
            for asked in questions.questions[:TIMED_QUESTIONS]
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
        "documents": Counter(str(found.status) for found in taken_in.values()),
        "chunks": sum(found.live.chunks for found in taken_in.values() if found.live is not None),
        "ingestion_s": round(seconds, 1),
        "stages_ms": percentiles(timings),
    }


def file_name(document: SetDocument) -> str:
    return f"{document.id}.html"


def as_html(document: SetDocument) -> bytes:
    """Return a page with the document's title and its text as one paragraph, to the letter."""
    title, text = html.escape(document.title), html.escape(document.text)
    page = f"<!doctype html><meta charset=utf-8><title>{title}</title><body><p>{text}</p></body>"
    return page.encode()


def set_ids_of(questions: QuestionSet, taken_in: Mapping[str, DocumentDescription]) -> dict[DocumentId, list[str]]:
    """Return which documents of the set each live document is: several, where a set repeats a text."""
    set_ids: dict[DocumentId, list[str]] = {}
    for document in questions.documents:
        found = taken_in[file_name(document)]
        if found.status is DocumentStatus.SKIPPED_DUPLICATE and found.duplicate_of is not None:
            set_ids.setdefault(found.duplicate_of, []).append(document.id)
        elif found.status is DocumentStatus.READY:
            set_ids.setdefault(found.id, []).append(document.id)
        elif document.text.strip():
            raise RuntimeError(f"{document.id} ended as {found.status} ({found.reason}): the figures would be wrong.")
    return set_ids


async def _ranked_documents(
    library: Library, set_ids: Mapping[DocumentId, Sequence[str]], query: SearchQuery
) -> list[str]:
    """Return the set's ids of the documents found, best first; a document is as good as its best chunk."""
    result = await library.search(query)
    if result.degraded:
        raise RuntimeError(f"A degraded search cannot be scored: {result.degraded}")
    found = dict.fromkeys(ranked.hit.document_id for ranked in result.hits)
    return [set_id for document_id in found for set_id in set_ids[document_id]]


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
    parser.add_argument(
        "--set", type=set_folder, required=True, help="folder with corpus.jsonl, queries.jsonl and qrels.tsv"
    )
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--mode", choices=[str(mode) for mode in SearchMode], default=str(SearchMode.HYBRID))
    parser.add_argument("--fusion", choices=[str(fusion) for fusion in Fusion], default=str(Fusion.MIN_MAX))
    parser.add_argument("--vector-weight", type=float, help="instead of a new knowledge base's own")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args(arguments)
    template = SearchQuery(
        "anything",
        SearchMode(options.mode),
        fusion=Fusion(options.fusion),
        vector_weight=options.vector_weight,
    )
    figures = asyncio.run(evaluate(read_question_set(options.set), options.store, template))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>14}  {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
