"""What can be asked of an answer (K8)."""

from dataclasses import dataclass
from typing import Final

from shared.retrieval.fields import Condition
from shared.retrieval.query import InvalidQueryError, SearchQuery

MOST_SENTENCES: Final = 5
DEFAULT_SENTENCES: Final = 3


@dataclass(frozen=True, slots=True)
class AnswerQuery:
    """One question to one knowledge base, to be answered by at most `sentences` sentences.

    `minimum_confidence`, in [0, 1], is the confidence below which there is no evidence; None means that of the base.

    Raises: InvalidQueryError at construction when a bound is broken.
    """

    question: str
    conditions: tuple[Condition, ...] = ()
    sentences: int = DEFAULT_SENTENCES
    minimum_confidence: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.sentences <= MOST_SENTENCES:
            raise InvalidQueryError(f"An answer has 1 to {MOST_SENTENCES} sentences.")
        if self.minimum_confidence is not None and not 0 <= self.minimum_confidence <= 1:
            raise InvalidQueryError("The minimum confidence lies between 0 and 1.")
        self.to_search(1)

    def to_search(self, limit: int) -> SearchQuery:
        """Return the search whose hits may hold the answer."""
        return SearchQuery(self.question, conditions=self.conditions, limit=limit)
