"""Metadata of a document, checked against the fields that its knowledge base declares (K7, invariant 4)."""

from collections.abc import Mapping

from shared.knowledge.config import KnowledgeBaseConfig, MetadataType
from shared.knowledge.errors import InvalidMetadataError
from shared.retrieval.metadata import InvalidFieldError, typed_value
from shared.retrieval.ports import MetadataValue


def check_metadata(config: KnowledgeBaseConfig, metadata: Mapping[str, object]) -> dict[str, MetadataValue]:
    """Return `metadata` as an index keeps it: numbers as floats, moments as ISO 8601 in UTC.

    Raises: InvalidMetadataError, which names the field: not declared, or of another type.
    """
    return {name: _checked(name, value, config.metadata_fields.get(name)) for name, value in metadata.items()}


def _checked(name: str, value: object, field_type: MetadataType | None) -> MetadataValue:
    if field_type is None:
        raise InvalidMetadataError(f"Declare the metadata field {name!r} on the knowledge base first.", field=name)
    try:
        # Filters go through the same function: what was stored is found again.
        return typed_value(name, field_type, value)
    except InvalidFieldError as error:
        raise InvalidMetadataError(str(error), field=name) from None
