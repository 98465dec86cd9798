"""How a knowledge base chunks, embeds, fuses and types its metadata (K1, K4, K5, K7)."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StringConstraints

from shared.answers.confidence import DEFAULT_MINIMUM_CONFIDENCE
from shared.documents.chunking.config import ChunkingConfig
from shared.retrieval.fields import FieldType
from shared.retrieval.fusion import DEFAULT_VECTOR_WEIGHT

MAX_METADATA_FIELDS: Final = 32


MetadataName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""A field's name. Reserved names of an index begin with an underscore, so no metadata can claim one (invariant 4)."""


class KnowledgeBaseConfig(BaseModel):
    """Configuration of one knowledge base. `vector_weight`, in [0, 1], is the vector leg's share of a hybrid score.

    `minimum_confidence`, in [0, 1], is that below which a question is answered with `no_evidence`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunking: ChunkingConfig = Field(default_factory=ChunkingConfig)
    vector_weight: StrictFloat = Field(DEFAULT_VECTOR_WEIGHT, ge=0, le=1)
    minimum_confidence: StrictFloat = Field(DEFAULT_MINIMUM_CONFIDENCE, ge=0, le=1)
    metadata_fields: dict[MetadataName, FieldType] = Field(default_factory=dict, max_length=MAX_METADATA_FIELDS)
    embedding_model: str = Field("all-MiniLM-L6-v2", min_length=1, max_length=100)

    def needs_reindex(self, changed: "KnowledgeBaseConfig") -> bool:
        """Answer whether documents have to be indexed again before `changed` can be served."""
        return (self.chunking, self.embedding_model) != (changed.chunking, changed.embedding_model)


class ConfigChange(BaseModel):
    """What to change of a configuration; a part that is absent stays, a part that is named is replaced whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunking: ChunkingConfig | None = None
    vector_weight: StrictFloat | None = Field(None, ge=0, le=1)
    minimum_confidence: StrictFloat | None = Field(None, ge=0, le=1)
    metadata_fields: dict[MetadataName, FieldType] | None = Field(None, max_length=MAX_METADATA_FIELDS)

    def applied_to(self, config: KnowledgeBaseConfig) -> KnowledgeBaseConfig:
        """Return `config` with the change."""
        named = {name: value for name, value in self if value is not None}
        return config.model_copy(update=named)
