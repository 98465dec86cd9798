"""Filters, checked against the fields that a knowledge base declares (K7)."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from shared.kernel.errors import Kind, TesseraError
from shared.retrieval.fields import Condition, FieldType
from shared.retrieval.metadata import typed_value

MOST_CONDITIONS: Final = 20
MOST_ALTERNATIVES: Final = 100


class InvalidFilterError(TesseraError):
    """A filter names a field that the knowledge base does not declare, or asks nothing that can be answered."""

    code: ClassVar[str] = "invalid-filter"
    kind: ClassVar[Kind] = Kind.INVALID


def typed_conditions(conditions: Sequence[Condition], fields: Mapping[str, FieldType]) -> tuple[Condition, ...]:
    """Return `conditions` with every value in the form in which its field is stored.

    Raises: InvalidFilterError, and InvalidFieldError for a value that is not of its field's type.
    """
    if len(conditions) > MOST_CONDITIONS:
        raise InvalidFilterError(f"Give at most {MOST_CONDITIONS} filters.")
    return tuple(_typed(condition, fields) for condition in conditions)


def _typed(condition: Condition, fields: Mapping[str, FieldType]) -> Condition:
    name = condition.name
    if name not in fields:
        known = ", ".join(sorted(fields)) or "none"
        raise InvalidFilterError(
            f"This knowledge base has no metadata field of that name. Its fields: {known}.", field=name[:100]
        )
    is_range = condition.at_least is not None or condition.at_most is not None
    asked = [condition.equals is not None, condition.any_of is not None, condition.exists is not None, is_range]
    if sum(asked) != 1:
        raise InvalidFilterError(f"The filter on {name} must ask exactly one thing: equals, in, range or exists.")
    if condition.exists is not None:
        return condition
    field_type = fields[name]
    if condition.equals is not None:
        return Condition(name, equals=typed_value(name, field_type, condition.equals))
    if condition.any_of is not None:
        if not 1 <= len(condition.any_of) <= MOST_ALTERNATIVES:
            raise InvalidFilterError(f"Give 1 to {MOST_ALTERNATIVES} values to choose from for {name}.")
        return Condition(name, any_of=tuple(typed_value(name, field_type, value) for value in condition.any_of))
    if field_type is FieldType.BOOLEAN:
        raise InvalidFilterError(f"{name} is true or false and has no range; use equals.")
    return Condition(
        name,
        at_least=None if condition.at_least is None else typed_value(name, field_type, condition.at_least),
        at_most=None if condition.at_most is None else typed_value(name, field_type, condition.at_most),
    )
