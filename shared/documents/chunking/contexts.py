"""What is said before a chunk's own text when it is indexed: title, headings, table header."""

from functools import lru_cache

from shared.documents.chunking.outline import Section
from shared.documents.ports import Tokenizer

_BETWEEN = " › "


class Contexts:
    """Makes contexts of at most `limit` tokens. A heading that stands inside of the chunk is not repeated."""

    def __init__(self, title: str | None, tokenizer: Tokenizer, limit: int) -> None:
        self._title = title or ""
        self._tokenizer = tokenizer
        self._limit = limit
        self._bounded = lru_cache(maxsize=4_096)(self._bounded_once)

    def of(self, section: Section, start: int, header: str) -> str:
        """Return the context of a chunk that begins at `start` in `section`."""
        return self._parts(section, start, header)[0]

    def tokens(self, section: Section, start: int, header: str) -> int:
        """Return how many tokens that context has."""
        return self._parts(section, start, header)[1]

    def _parts(self, section: Section, start: int, header: str) -> tuple[str, int]:
        above = [heading for heading, at in zip(section.path, section.starts, strict=True) if at < start]
        # A chunk that begins with the title as its heading says it already.
        says_title = self._title in section.path and self._title not in above
        return self._bounded("" if says_title else self._title, tuple(above), header)

    def _bounded_once(self, title: str, headings: tuple[str, ...], header: str) -> tuple[str, int]:
        """Drop outer headings first, the title last but one; cut what is still too long."""
        names = [name for name in headings if name != title]
        while True:
            parts = [part for part in (title, *names, header) if part]
            context = _BETWEEN.join(parts)
            spans = self._tokenizer.spans(context)
            if len(spans) <= self._limit:
                return context, len(spans)
            if not names:
                break
            names.pop(0)
        if self._limit == 0:
            return "", 0
        # The header says more about a row than the title does: its share is cut last.
        if header and title:
            title_share = max(0, self._limit - len(self._tokenizer.spans(header)) - 1)
            title_spans = self._tokenizer.spans(title)[:title_share]
            kept_title = title[: title_spans[-1][1]] if title_spans else ""
            context = _BETWEEN.join(part for part in (kept_title, header) if part)
        kept = self._tokenizer.spans(context)[: self._limit]
        context = context[: kept[-1][1]].strip()
        return context, len(self._tokenizer.spans(context))
