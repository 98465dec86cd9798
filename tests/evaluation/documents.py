"""How well facts are found in files: `python -m tests.evaluation.documents --documents DIR --facts FILE` (K13).

Every file of the folder that is not a description of it goes the whole way from the bucket into a fresh knowledge
base; every question of the facts goes to search and to the answer service. Prints figures; with `--json`, one object
on the last line of standard output. Texts are compared in compatibility form with single spaces.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.adapters.s3.artifacts import S3Artifacts
from shared.answers.service import Answer
from shared.documents.canonical import CanonicalText
from shared.kernel.ids import DocumentId
from shared.knowledge.descriptions import DocumentDescription
from shared.operations.capabilities import ARTIFACTS
from shared.retrieval.query import SearchQuery
from shared.retrieval.search import SearchResult
from tests.evaluation.answers import ask, comparable, share_of_exact_citations
from tests.evaluation.library import STORES, TENANT, Library, open_library
from tests.evaluation.metrics import mean, percentiles
from tests.evaluation.question_sets import read_lines

TOP: Final = 5
_DESCRIPTIONS: Final = frozenset({"README.md", "facts.jsonl"})


@dataclass(frozen=True, slots=True)
class Fact:
    """`quote` answers `question` and stands in `document`, on page (or slide) `page` or the sheet of this name."""

    question: str
    document: str
    quote: str
    page: int | None
    sheet: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one fact. `is_on_page` is None where the fact names neither page nor sheet."""

    fact: Fact
    is_in_text: bool
    is_on_page: bool | None
    is_in_top: bool
    is_cited: bool
    answer: Answer


def read_facts(file: Path) -> list[Fact]:
    return [
        Fact(row["question"], row["document"], row["quote"], row.get("page"), row.get("sheet"))
        for row in read_lines(file)
    ]


def read_files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name not in _DESCRIPTIONS}


async def evaluate(files: Mapping[str, bytes], facts: Sequence[Fact], store: str) -> dict[str, Any]:
    """Take the files in, ask every question, and return the figures."""
    async with open_library(store) as library:
        taken_in = await library.add(files)
        texts = {name: await _text_of(library, found) for name, found in taken_in.items()}
        findings = [await _find(library, fact, texts[fact.document], taken_in[fact.document].id) for fact in facts]
        exact = await share_of_exact_citations(library, [found.answer for found in findings])
    on_page = [float(found.is_on_page) for found in findings if found.is_on_page is not None]
    return {
        "facts": len(facts),
        "store": store,
        "documents": {name: _status(found) for name, found in taken_in.items()},
        "quote_in_text": mean(float(found.is_in_text) for found in findings),
        "right_page": mean(on_page),
        "in_top_5": mean(float(found.is_in_top) for found in findings),
        "cited": mean(float(found.is_cited) for found in findings),
        "citations_exact": exact,
        "outcomes": Counter(str(found.answer.outcome) for found in findings),
        "not_cited": [found.fact.question for found in findings if not found.is_cited],
        "not_in_top_5": [found.fact.question for found in findings if not found.is_in_top],
        "not_in_text": [found.fact.question for found in findings if not found.is_in_text],
        "not_on_page": [found.fact.question for found in findings if found.is_on_page is False],
        "stages_ms": percentiles([found.answer.timings_ms for found in findings]),
    }


async def _text_of(library: Library, document: DocumentDescription) -> CanonicalText | None:
    if document.live is None:
        return None
    artifacts = S3Artifacts(library.cloud.s3, library.cloud.address_of(ARTIFACTS))
    return await artifacts.get_text(TENANT, library.kb_id, document.id, document.live.generation)


async def _find(library: Library, fact: Fact, text: CanonicalText | None, document_id: DocumentId) -> Finding:
    found = await library.search(SearchQuery(fact.question, limit=TOP))
    answer = await ask(library, fact.question)
    quote = comparable(fact.quote)
    return Finding(
        fact,
        is_in_text=text is not None and quote in comparable(text.text),
        is_on_page=_is_on_page(fact, text),
        is_in_top=_is_in_top(found, document_id, quote),
        is_cited=any(
            citation.document_id == document_id and quote in comparable(citation.quote) for citation in answer.citations
        ),
        answer=answer,
    )


def _is_in_top(found: SearchResult, document_id: DocumentId, quote: str) -> bool:
    hits = [ranked.hit for ranked in found.hits if ranked.hit.document_id == document_id]
    return any(quote in comparable(hit.text) for hit in hits)


def _is_on_page(fact: Fact, text: CanonicalText | None) -> bool | None:
    """Tell whether the quote stands on its page; one may end on the next, so the place where it begins counts."""
    if fact.page is None and fact.sheet is None:
        return None
    if text is None:
        return False
    quote = comparable(fact.quote)
    for index, page in enumerate(text.pages):
        if page.number == fact.page or (fact.sheet is not None and page.label == fact.sheet):
            following = text.pages[index + 1].end if index + 1 < len(text.pages) else page.end
            position = comparable(text.text[page.start : following]).find(quote)
            return 0 <= position < len(comparable(text.text[page.start : page.end]))
    return False


def _status(document: DocumentDescription) -> str:
    return str(document.status) if document.reason is None else f"{document.status}: {document.reason}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Score text, pages, search and citations on facts about real files.")
    parser.add_argument("--documents", type=Path, required=True, help="folder of files")
    parser.add_argument("--facts", type=Path, required=True, help="JSON lines: question, document, quote, page, sheet")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args(arguments)
    figures = asyncio.run(evaluate(read_files(options.documents), read_facts(options.facts), options.store))
    if options.json:
        print(json.dumps(figures, ensure_ascii=False))
    else:
        for name, value in figures.items():
            print(f"{name:>16}  {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
