"""Bounds of a query, and its page tokens."""

import base64

import pytest

from shared.kernel.ids import KnowledgeBaseId, TenantId
from shared.kernel.pages import InvalidPageTokenError, page_token
from shared.retrieval.highlights import highlights_of
from shared.retrieval.keywords import query_terms
from shared.retrieval.query import InvalidQueryError, SearchMode, SearchQuery
from tests.unit.retrieval.memory import ACME, KB


@pytest.mark.parametrize(
    "bounds",
    [
        {"text": "  "},
        {"text": "half a pair: \ud83d"},
        {"text": "x" * 2_001},
        {"text": "x", "limit": 0},
        {"text": "x", "limit": 101},
        {"text": "x", "offset": -1},
        {"text": "x", "offset": 996},
        {"text": "x", "vector_weight": 1.1},
    ],
)
def test_a_query_beyond_its_bounds_is_refused(bounds: dict[str, object]) -> None:
    with pytest.raises(InvalidQueryError):
        SearchQuery(**bounds)  # type: ignore[arg-type]


def test_a_page_token_leads_to_its_offset() -> None:
    query = SearchQuery("notice period", limit=10)

    assert query.at_page(query.page_token(20, ACME, KB), ACME, KB).offset == 20


@pytest.mark.parametrize(
    "token",
    [
        SearchQuery("another question").page_token(20, ACME, KB),
        SearchQuery("notice period", SearchMode.KEYWORD).page_token(20, ACME, KB),
        SearchQuery("notice period").page_token(20, TenantId("globex"), KB),
        SearchQuery("notice period").page_token(20, ACME, KnowledgeBaseId("kb_" + "1" * 26)),
        SearchQuery("notice period").page_token(100_000, ACME, KB),
        page_token("-1", *SearchQuery("notice period")._of_list(ACME, KB)),
        page_token("²", *SearchQuery("notice period")._of_list(ACME, KB)),
        "",
        "%%%",
        "é",
        base64.urlsafe_b64encode(b"-1.00").decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
        "9" * 10_000,
    ],
)
def test_a_page_token_of_something_else_is_refused(token: str) -> None:
    with pytest.raises(InvalidPageTokenError):
        SearchQuery("notice period").at_page(token, ACME, KB)


def test_highlights_are_the_words_that_were_asked() -> None:
    text = "The Notice periods are 30 days; 東京都 too."

    spans = highlights_of(text, query_terms("notice of a period in 東京").keys())

    assert [text[start:end] for start, end in spans] == ["Notice", "periods", "東京"]
