"""Metadata of a document, checked against the fields that its knowledge base declares (K7, invariant 4)."""

from collections.abc import Mapping
from datetime import UTC, datetime

from shared.knowledge.config import MAX_METADATA_TEXT, KnowledgeBaseConfig, MetadataType
from shared.knowledge.errors import InvalidMetadataError
from shared.retrieval.ports import MetadataValue


def check_metadata(config: KnowledgeBaseConfig, metadata: Mapping[str, object]) -> dict[str, MetadataValue]:
    """Return `metadata` as an index keeps it: numbers as floats, moments as ISO 8601 in UTC.

    Raises: InvalidMetadataError, which names the field: not declared, or of another type.
    """
    return {name: _checked(name, value, config.metadata_fields.get(name)) for name, value in metadata.items()}


def _checked(name: str, value: object, kind: MetadataType | None) -> MetadataValue:
    match kind, value:
        case None, _:
            raise InvalidMetadataError(f"Declare the metadata field {name!r} on the knowledge base first.", field=name)
        case MetadataType.BOOLEAN, bool():
            return value
        case MetadataType.NUMBER, int() | float() if not isinstance(value, bool) and abs(value) < float("inf"):
            return float(value)
        case MetadataType.TEXT, str() if len(value) <= MAX_METADATA_TEXT:
            return value
        case MetadataType.MOMENT, str():
            return _moment(name, value)
    raise InvalidMetadataError(
        f"The metadata field {name!r} wants a {kind} value (a text has at most {MAX_METADATA_TEXT} characters).",
        field=name,
    )


def _moment(name: str, value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise InvalidMetadataError(f"The metadata field {name!r} wants a moment in ISO 8601.", field=name) from None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()
