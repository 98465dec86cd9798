"""Where a hit says what was asked (K7)."""

from collections.abc import Collection

from shared.retrieval.analysis import terms

Span = tuple[int, int]


def highlights_of(text: str, query_terms: Collection[str]) -> tuple[Span, ...]:
    """Return the spans of `text` whose terms occur in the query: ordered, disjoint, `[start, end)` in code points."""
    spans: list[Span] = []
    for term in terms(text, among=query_terms):
        if spans and term.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], term.end))
        else:
            spans.append((term.start, term.end))
    return tuple(spans)
