"""Plain JSON-like values as DynamoDB attribute values, and back.

boto3's own serializer takes no floats and answers with decimals; records hold floats and want them back. Floats beyond
DynamoDB's numbers are kept as their eight bytes. Source: Amazon DynamoDB Developer Guide, data types.
"""

import struct
from typing import Any, Final

_SMALLEST: Final = 1e-130
_LARGEST: Final = 9.9e125


def to_attribute(value: Any) -> dict[str, Any]:
    """Return `value` (None, bool, str, int, float, list, dict of str) as an attribute value."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case float() if value and not _SMALLEST <= abs(value) <= _LARGEST:
            return {"B": struct.pack(">d", value)}
        case int() | float():
            return {"N": repr(value)}
        case list():
            return {"L": [to_attribute(part) for part in value]}
        case dict():
            return {"M": {str(key): to_attribute(part) for key, part in value.items()}}
    raise TypeError(f"{type(value).__name__} has no attribute value.")


def from_attribute(attribute: Any) -> Any:
    """Return the plain value of `attribute`; a whole number comes back as int, whatever it was."""
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "B":
            return struct.unpack(">d", value)[0]
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "L":
            return [from_attribute(part) for part in value]
        case "M":
            return {key: from_attribute(part) for key, part in value.items()}
    return value
