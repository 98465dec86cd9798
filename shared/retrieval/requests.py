"""What callers may ask of a search. Unknown fields are refused: none can name a tenant."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, StringConstraints

from shared.kernel.ids import KnowledgeBaseId, TenantId
from shared.kernel.pages import PageToken
from shared.retrieval.conditions import MOST_ALTERNATIVES, MOST_CONDITIONS
from shared.retrieval.fields import Condition
from shared.retrieval.fusion import Fusion
from shared.retrieval.metadata import LONGEST_VALUE
from shared.retrieval.query import LONGEST_QUERY, MOST_HITS, SearchMode, SearchQuery

Text = Annotated[StrictStr, StringConstraints(max_length=LONGEST_VALUE)]
Value = Text | StrictBool | StrictFloat
Bound = Text | StrictFloat


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Filter(_Body):
    """Keep chunks whose document has this in its metadata. Ask one thing: equals, in, a range, or exists."""

    field: str = Field(max_length=100, description="A metadata field that the knowledge base declares.")
    equals: Value | None = None
    any_of: list[Value] | None = Field(default=None, alias="in", min_length=1, max_length=MOST_ALTERNATIVES)
    at_least: Bound | None = Field(default=None, description="The lower end of a range, which belongs to it.")
    at_most: Bound | None = Field(default=None, description="The upper end of a range, which belongs to it.")
    exists: StrictBool | None = Field(default=None, description="Whether the document has the field at all.")

    def to_condition(self) -> Condition:
        any_of = None if self.any_of is None else tuple(self.any_of)
        return Condition(self.field, self.equals, any_of, self.at_least, self.at_most, self.exists)


class SearchRequest(_Body):
    """A question to one knowledge base."""

    query: str = Field(min_length=1, max_length=LONGEST_QUERY, description="A question, or words to look for.")
    mode: SearchMode = Field(default=SearchMode.HYBRID, description="By words, by meaning, or both.")
    filters: list[Filter] = Field(default_factory=list, max_length=MOST_CONDITIONS, description="All must hold.")
    limit: StrictInt = Field(default=5, ge=1, le=MOST_HITS, description="How many hits to return at most.")
    page_token: PageToken | None = Field(default=None, description="From the answer to the same request.")
    fusion: Fusion = Field(default=Fusion.MIN_MAX, description="How the two legs of a hybrid search are combined.")
    vector_weight: StrictFloat | None = Field(
        default=None, ge=0, le=1, description="The share of meaning against words, instead of the knowledge base's own."
    )

    def to_query(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> SearchQuery:
        """Raises: InvalidQueryError, InvalidPageTokenError."""
        query = SearchQuery(
            self.query,
            self.mode,
            tuple(asked.to_condition() for asked in self.filters),
            self.limit,
            fusion=self.fusion,
            vector_weight=self.vector_weight,
        )
        return query.at_page(self.page_token, tenant, kb_id) if self.page_token is not None else query
