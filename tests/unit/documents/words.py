"""A tokenizer whose tokens can be counted by eye: words and signs."""

import re

_TOKEN = re.compile(r"\w+|[^\w\s]")


class Words:
    """One token per word or sign."""

    def __init__(self, limit: int = 254) -> None:
        self._limit = limit

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in _TOKEN.finditer(text)]

    @property
    def limit(self) -> int:
        return self._limit
