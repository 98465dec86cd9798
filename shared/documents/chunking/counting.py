"""How many tokens a span holds, answered without tokenizing it again."""

from array import array
from bisect import bisect_left, bisect_right

from shared.documents.ports import Tokenizer

_SLICE_CHARACTERS = 100_000


class TokenCounts:
    """The tokens of a text, found once. Memory is eight bytes a token; texts are tokenized in slices."""

    def __init__(self, text: str, tokenizer: Tokenizer) -> None:
        self._starts = array("I")
        self._ends = array("I")
        at = 0
        while at < len(text):
            end = _slice_end(text, at)
            for start, stop in tokenizer.spans(text[at:end]):
                if stop > start:
                    self._starts.append(at + start)
                    self._ends.append(at + stop)
            at = end

    def within(self, start: int, end: int) -> int:
        """Return how many tokens touch `[start, end)`."""
        return max(0, bisect_left(self._starts, end) - bisect_right(self._ends, start))

    def end_of(self, start: int, count: int, limit: int) -> int:
        """Return where the first `count` tokens from `start` on end, `limit` where there are fewer."""
        following = bisect_right(self._ends, start) + max(1, count)
        return min(limit, self._starts[following]) if following < len(self._starts) else limit

    def start_of_last(self, end: int, count: int) -> int:
        """Return where the last `count` tokens before `end` begin; `end` itself for none."""
        first = bisect_left(self._starts, end) - count
        return end if count <= 0 or first < 0 else self._starts[first]


def _slice_end(text: str, start: int) -> int:
    """Return an end for the slice from `start`, at white space where there is some: no token lies across it."""
    end = start + _SLICE_CHARACTERS
    if end >= len(text):
        return len(text)
    for at in range(end, end - _SLICE_CHARACTERS // 10, -1):
        if text[at].isspace():
            return at
    return end
