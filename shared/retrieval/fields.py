"""User metadata: what a value may be, which types a field may have, and how a search filters on them (K7).

Light on purpose: knowledge bases and documents speak of metadata in functions that carry no numerics.
"""

from dataclasses import dataclass
from enum import StrEnum

MetadataValue = str | float | bool
"""Numbers are floats, moments are ISO 8601 strings; lists are not supported in filters."""


class FieldType(StrEnum):
    """What a knowledge base says the values of one metadata field are."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter on a metadata field: `equals`, `any_of` or `exists` alone, or `at_least` and `at_most`, one or both.

    A chunk without the field matches only `exists=False`.
    """

    name: str
    equals: MetadataValue | None = None
    any_of: tuple[MetadataValue, ...] | None = None
    at_least: str | float | None = None
    at_most: str | float | None = None
    exists: bool | None = None
