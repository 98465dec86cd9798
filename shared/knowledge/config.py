"""How a knowledge base chunks, embeds, fuses and types its metadata (K1, K4, K5, K7)."""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_METADATA_FIELDS: Final = 32
MAX_METADATA_TEXT: Final = 1000


class MetadataType(StrEnum):
    """Type of a metadata field; a moment is written as ISO 8601."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"


MetadataName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""A field's name. Reserved names of an index begin with an underscore, so no metadata can claim one (invariant 4)."""


class KnowledgeBaseConfig(BaseModel):
    """Configuration of one knowledge base. `vector_weight`, in [0, 1], is the vector leg's share of a hybrid score."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunking: dict[str, Any] = Field(default_factory=dict)
    vector_weight: float = Field(0.5, ge=0, le=1)
    metadata_fields: dict[MetadataName, MetadataType] = Field(default_factory=dict, max_length=MAX_METADATA_FIELDS)
    embedding_model: str = Field("all-MiniLM-L6-v2", min_length=1, max_length=100)

    def needs_reindex(self, changed: "KnowledgeBaseConfig") -> bool:
        """Answer whether documents have to be indexed again before `changed` can be served."""
        return (self.chunking, self.embedding_model) != (changed.chunking, changed.embedding_model)
