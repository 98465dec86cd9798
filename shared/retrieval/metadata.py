"""What the values of metadata fields become before they are indexed or compared (K7).

Documents and filters go through the same function, so that a value that was stored is found again.
"""

import math
from datetime import UTC, datetime
from typing import ClassVar, Final

from shared.kernel.errors import Kind, TesseraError
from shared.retrieval.fields import FieldType, MetadataValue

LONGEST_VALUE: Final = 1_000
"""Characters of a string value."""


class InvalidFieldError(TesseraError):
    """A value is not of the type that the knowledge base declares for its metadata field."""

    code: ClassVar[str] = "invalid-metadata-field"
    kind: ClassVar[Kind] = Kind.INVALID


def typed_value(name: str, field_type: FieldType, value: object) -> MetadataValue:
    """Return `value` in the one form in which values of its type are stored and compared.

    Numbers become floats; moments become `YYYY-MM-DDThh:mm:ss.mmmZ`, without an offset they are taken as UTC.

    Raises: InvalidFieldError when `value` is not of `field_type`.
    """
    match field_type, value:
        case FieldType.BOOLEAN, bool():
            return value
        case FieldType.NUMBER, int() | float() if not isinstance(value, bool) and _is_finite(value):
            return float(value)
        case FieldType.TEXT, str() if len(value) <= LONGEST_VALUE:
            return value
        case FieldType.MOMENT, str():
            moment = _moment(value)
            if moment is not None:
                return moment
    raise InvalidFieldError(f"The values of {name} must be {_EXPECTED[field_type]}.", field=name)


_EXPECTED: Final = {
    FieldType.BOOLEAN: "true or false",
    FieldType.NUMBER: "finite numbers",
    FieldType.TEXT: f"strings of at most {LONGEST_VALUE} characters",
    FieldType.MOMENT: "dates or moments in ISO 8601, such as 2026-11-20 or 2026-11-20T08:30:00Z",
}


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of floats
        return False


def _moment(value: str) -> str | None:
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # Years are padded by hand: strftime's %Y is not, on Linux.
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
