"""Metadata as sortable terms, so that any store with exact terms and term ranges can filter it (K7).

A field becomes two terms: one that says it is there, one that says its value. Terms of one field and type sort like
the values (numbers by size, strings by code point), so a range of values is a range of terms. The field's name enters
as a digest: no name or value, whatever its characters, can reach another field, and no field costs a store a column.
"""

import hashlib
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.retrieval.fields import Condition, MetadataValue

LONGEST_SORTED_STRING: Final = 256
"""Characters of a string that take part in its order; equality looks at all of them."""

_PRESENT: Final = "?"
_BOOLEAN: Final = "b"
_NUMBER: Final = "n"
_STRING: Final = "s"


@dataclass(frozen=True, slots=True)
class AnyTerm:
    """A chunk matches when it has one of `terms` (none: it never matches)."""

    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TermRange:
    """A chunk matches when it has a term in `[first, last]`, ordered by code point."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class NoTerm:
    """A chunk matches when it lacks `term`."""

    term: str


Requirement = AnyTerm | TermRange | NoTerm


def terms_of(metadata: Mapping[str, MetadataValue]) -> list[str]:
    """Return the terms of one chunk's metadata, sorted."""
    found = {term for name, value in metadata.items() for term in (_present(name), _term(name, value))}
    return sorted(found)


def requirement_of(condition: Condition) -> Requirement:
    """Translate one condition. Raises: ValueError for a condition that asks nothing, or for bounds of two types."""
    if condition.equals is not None:
        return AnyTerm((_term(condition.name, condition.equals),))
    if condition.any_of is not None:
        return AnyTerm(tuple(_term(condition.name, value) for value in condition.any_of))
    if condition.exists is not None:
        present = _present(condition.name)
        return AnyTerm((present,)) if condition.exists else NoTerm(present)
    return _range_of(condition)


def _range_of(condition: Condition) -> TermRange:
    bounds = [bound for bound in (condition.at_least, condition.at_most) if bound is not None]
    if not bounds:
        raise ValueError(f"The condition on {condition.name!r} asks nothing.")
    types = {_STRING if isinstance(bound, str) else _NUMBER for bound in bounds}
    if len(types) > 1:
        raise ValueError(f"The bounds of {condition.name!r} are a number and a string.")
    kind = types.pop()
    first = _prefix(condition.name) + kind
    last = _prefix(condition.name) + chr(ord(kind) + 1)
    if condition.at_least is not None:
        first = _term(condition.name, condition.at_least)
    if condition.at_most is not None:
        last = _term(condition.name, condition.at_most)
    return TermRange(first, last)


def _present(name: str) -> str:
    return _prefix(name) + _PRESENT


def _term(name: str, value: MetadataValue) -> str:
    prefix = _prefix(name)
    if isinstance(value, bool):
        return f"{prefix}{_BOOLEAN}{int(value)}"
    if isinstance(value, str):
        return prefix + _STRING + _sortable_string(value)
    return prefix + _NUMBER + _sortable_number(float(value))


def _prefix(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=12).hexdigest()


def _sortable_string(value: str) -> str:
    if len(value) <= LONGEST_SORTED_STRING:
        return value
    return value[:LONGEST_SORTED_STRING] + hashlib.blake2b(value.encode(), digest_size=16).hexdigest()


def _sortable_number(value: float) -> str:
    """Return 16 hexadecimal digits that sort like the number: IEEE 754 bits, negative ones turned around."""
    if math.isnan(value):
        raise ValueError("Metadata cannot hold a number that is not one.")
    bits: int = struct.unpack(">Q", struct.pack(">d", value + 0.0))[0]  # adding zero makes one of the two zeros
    return f"{bits ^ (0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else 1 << 63):016x}"
