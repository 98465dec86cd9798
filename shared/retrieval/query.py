"""What can be asked of a search, and how a next page is asked for (K7)."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Final

from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import KnowledgeBaseId, TenantId
from shared.kernel.pages import InvalidPageTokenError, PageToken, page_token, read_page_token
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

    def page_token(self, offset: int, tenant: TenantId, kb_id: KnowledgeBaseId) -> PageToken:
        """Return an opaque token for the hits of this query in this knowledge base from `offset` on."""
        return page_token(str(offset), *self._of_list(tenant, kb_id))

    def at_page(self, token: PageToken, tenant: TenantId, kb_id: KnowledgeBaseId) -> "SearchQuery":
        """Return this query at the page that `token` names.

        Raises: InvalidPageTokenError when the token is none of ours, was given for another query, another base or
        another tenant, or when pages of this size would lead too deep.
        """
        offset = read_page_token(token, *self._of_list(tenant, kb_id))
        # The fingerprint is no signature, so an offset may be anything.
        if not offset.isdecimal() or len(offset) > 4 or int(offset) + self.limit > DEEPEST_HIT:
            raise InvalidPageTokenError(f"Pages end at hit {DEEPEST_HIT}; ask for smaller ones, or add filters.")
        return replace(self, offset=int(offset))

    def _of_list(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> tuple[str, ...]:
        return tenant, "search", kb_id, repr((self.text, self.mode, self.conditions, self.fusion, self.vector_weight))


def _is_unicode(text: str) -> bool:
    """JSON can carry halves of surrogate pairs, which are no characters and cannot be encoded."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
