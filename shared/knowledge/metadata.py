"""Metadata of a document, checked against the fields that its knowledge base declares (K7, invariant 4)."""

from collections.abc import Mapping

from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.errors import InvalidMetadataError
from shared.retrieval.fields import MetadataValue
from shared.retrieval.metadata import typed_value


def check_metadata(config: KnowledgeBaseConfig, metadata: Mapping[str, object]) -> dict[str, MetadataValue]:
    """Return `metadata` as an index keeps it.

    Raises: InvalidMetadataError for a field that is not declared; InvalidFieldError for a value of another type.
    """
    for name in metadata:
        if name not in config.metadata_fields:
            raise InvalidMetadataError(f"Declare the metadata field {name!r} on the knowledge base first.", field=name)
    return {name: typed_value(name, config.metadata_fields[name], value) for name, value in metadata.items()}
