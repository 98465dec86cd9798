"""How a knowledge base wants its documents cut."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator


class ChunkingStrategy(StrEnum):
    """What a chunk is made of.

    `headings` keeps sections, paragraphs, sentences and table rows whole as long as they fit: the default.
    `sentences` packs whole sentences, `tokens` cuts windows of equal size, both with overlap, blind to structure.
    `rows` gives table rows and records chunks of their own, and treats the rest like `headings`.
    """

    HEADINGS = "headings"
    SENTENCES = "sentences"
    TOKENS = "tokens"
    ROWS = "rows"


class ChunkingConfig(BaseModel):
    """A strategy and its parameters. Sizes count the embedder's tokens, the context included.

    The defaults suit a model that reads 256 tokens: a chunk of 200 leaves room for the special ones and for words that
    are counted differently when they stand alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: ChunkingStrategy = ChunkingStrategy.HEADINGS
    max_tokens: StrictInt = Field(default=200, ge=16, le=2_048, description="No chunk with its context is longer.")
    min_tokens: StrictInt = Field(default=48, ge=0, le=1_024, description="A shorter section or record is not alone.")
    overlap_tokens: StrictInt = Field(
        default=24, ge=0, le=512, description="What neighbours share (`sentences`, `tokens`)."
    )
    context_tokens: StrictInt = Field(
        default=48, ge=0, le=512, description="The most that title, headings and header take."
    )
    rows_per_chunk: StrictInt = Field(
        default=1, ge=1, le=100, description="How many table rows share a chunk (`rows`)."
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.overlap_tokens + self.context_tokens > self.max_tokens * 3 // 4:
            raise ValueError("overlap_tokens and context_tokens together may take three quarters of max_tokens at most")
        if self.min_tokens > self.max_tokens // 2:
            raise ValueError("min_tokens may be half of max_tokens at most")
        return self
