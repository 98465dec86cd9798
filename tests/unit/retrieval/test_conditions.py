"""Filters and metadata values."""

import pytest

from shared.retrieval.conditions import MOST_CONDITIONS, InvalidFilterError, typed_conditions
from shared.retrieval.fields import Condition, FieldType
from shared.retrieval.metadata import InvalidFieldError, typed_value

FIELDS = {
    "team": FieldType.TEXT,
    "year": FieldType.NUMBER,
    "public": FieldType.BOOLEAN,
    "signed": FieldType.MOMENT,
}


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        (Condition("team", equals="legal"), Condition("team", equals="legal")),
        (Condition("year", at_least=2020), Condition("year", at_least=2020.0)),
        (Condition("public", equals=False), Condition("public", equals=False)),
        (Condition("public", exists=False), Condition("public", exists=False)),
        (Condition("year", any_of=(1, 2)), Condition("year", any_of=(1.0, 2.0))),
        (
            Condition("signed", at_least="2026-11-20", at_most="2026-11-20T01:00:00+02:00"),
            Condition("signed", at_least="2026-11-20T00:00:00.000Z", at_most="2026-11-19T23:00:00.000Z"),
        ),
    ],
)
def test_values_take_the_form_in_which_they_are_stored(given: Condition, typed: Condition) -> None:
    assert typed_conditions([given], FIELDS) == (typed,)


@pytest.mark.parametrize(
    "refused",
    [
        Condition("tenant", equals="globex"),
        Condition("colour", exists=True),
        Condition("team"),
        Condition("team", equals="legal", exists=True),
        Condition("team", any_of=()),
        Condition("public", at_least=0.0),
    ],
)
def test_a_filter_that_asks_the_impossible_is_refused(refused: Condition) -> None:
    with pytest.raises(InvalidFilterError):
        typed_conditions([refused], FIELDS)


def test_too_many_filters_are_refused() -> None:
    with pytest.raises(InvalidFilterError):
        typed_conditions([Condition("team", exists=True)] * (MOST_CONDITIONS + 1), FIELDS)


@pytest.mark.parametrize(
    ("field_type", "value"),
    [
        (FieldType.NUMBER, "7"),
        (FieldType.NUMBER, True),
        (FieldType.NUMBER, float("nan")),
        (FieldType.NUMBER, 10**400),
        (FieldType.BOOLEAN, 1),
        (FieldType.TEXT, 1.0),
        (FieldType.TEXT, "x" * 1_001),
        (FieldType.MOMENT, "yesterday"),
        (FieldType.MOMENT, "0001-01-01T00:00:00+23:59"),
        (FieldType.MOMENT, 20_261_120),
    ],
)
def test_a_value_of_another_type_is_refused(field_type: FieldType, value: object) -> None:
    with pytest.raises(InvalidFieldError):
        typed_value("field", field_type, value)
