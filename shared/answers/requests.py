"""What callers may ask of an answer. Unknown fields are refused: none can name a tenant."""

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from shared.answers.query import DEFAULT_SENTENCES, MOST_SENTENCES, AnswerQuery
from shared.retrieval.conditions import MOST_CONDITIONS
from shared.retrieval.query import LONGEST_QUERY
from shared.retrieval.requests import Filter


class AnswerRequest(BaseModel):
    """A question to one knowledge base."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(min_length=1, max_length=LONGEST_QUERY)
    filters: list[Filter] = Field(default_factory=list, max_length=MOST_CONDITIONS, description="All must hold.")
    max_sentences: StrictInt = Field(
        default=DEFAULT_SENTENCES, ge=1, le=MOST_SENTENCES, description="How many sentences to quote at most."
    )
    minimum_confidence: StrictFloat | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Below this confidence the answer is `no_evidence`; absent: as the knowledge base is configured.",
    )

    def to_query(self) -> AnswerQuery:
        """Raises: InvalidQueryError."""
        return AnswerQuery(
            self.question,
            tuple(asked.to_condition() for asked in self.filters),
            self.max_sentences,
            self.minimum_confidence,
        )
