"""What can be asked of a search, and how a next page is asked for (K7)."""

import base64
import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Final

from shared.kernel.errors import Kind, TesseraError
from shared.kernel.pages import InvalidPageTokenError
from shared.retrieval.fields import Condition
from shared.retrieval.fusion import Fusion

LONGEST_QUERY: Final = 2_000
MOST_HITS: Final = 100
DEEPEST_HIT: Final = 1_000
"""How far pages reach; whoever needs more should filter."""


class SearchMode(StrEnum):
    KEYWORD = "keyword"
    VECTOR = "vector"
    HYBRID = "hybrid"


class InvalidQueryError(TesseraError):
    """A query that no search can answer; the message names the bound that it breaks."""

    code: ClassVar[str] = "invalid-query"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One question to one knowledge base. `vector_weight` None means the weight of the knowledge base.

    Raises: InvalidQueryError at construction when a bound is broken.
    """

    text: str
    mode: SearchMode = SearchMode.HYBRID
    conditions: tuple[Condition, ...] = ()
    limit: int = 5
    offset: int = 0
    fusion: Fusion = Fusion.MIN_MAX
    vector_weight: float | None = None

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text) > LONGEST_QUERY or not _is_unicode(self.text):
            raise InvalidQueryError(f"Ask something, in at most {LONGEST_QUERY} Unicode characters.")
        if not 1 <= self.limit <= MOST_HITS:
            raise InvalidQueryError(f"Ask for 1 to {MOST_HITS} hits; page tokens lead to more.")
        if self.offset < 0 or self.offset + self.limit > DEEPEST_HIT:
            raise InvalidQueryError(f"Pages end at hit {DEEPEST_HIT}; add filters to see others.")
        if self.vector_weight is not None and not 0 <= self.vector_weight <= 1:
            raise InvalidQueryError("The vector weight lies between 0 and 1.")

    def page_token(self, offset: int) -> str:
        """Return an opaque token for the hits of this query from `offset` on."""
        return base64.urlsafe_b64encode(f"{offset}.{self._fingerprint()}".encode()).decode()

    def at_page(self, token: str) -> "SearchQuery":
        """Return this query at the page that `token` names.

        Raises: InvalidPageTokenError when the token is none of ours, or was given for another query.
        """
        refusal = InvalidPageTokenError("Send a page token back unchanged, with the query that it was given for.")
        try:
            offset, _, fingerprint = base64.urlsafe_b64decode(token.encode()).decode("ascii").partition(".")
        except ValueError:
            raise refusal from None
        if (
            fingerprint != self._fingerprint()
            or not offset.isdecimal()
            or len(offset) > 4
            or int(offset) + self.limit > DEEPEST_HIT
        ):
            raise refusal
        return replace(self, offset=int(offset))

    def _fingerprint(self) -> str:
        asked = repr((self.text, self.mode, self.conditions, self.fusion, self.vector_weight))
        return hashlib.blake2b(asked.encode(), digest_size=8).hexdigest()


def _is_unicode(text: str) -> bool:
    """JSON can carry halves of surrogate pairs, which are no characters and cannot be encoded."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
