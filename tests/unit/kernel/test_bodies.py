"""A name is one line of what can be seen, and its description says the same as its check."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.kernel.bodies import ONE_LINE, Label, Moment

LABEL = TypeAdapter(Label)


@pytest.mark.parametrize(
    "text", ["a", "Ångström & Söhne", "東京都", "🧭 compass", "a\u00a0b", "x" * 100, "❤\ufe0f", "‘quoted’ — so"]
)
def test_names_of_all_scripts_are_taken(text):
    assert LABEL.validate_python(text) == text


def test_white_space_around_a_name_is_left_out():
    assert LABEL.validate_python("  Travel  policy ") == "Travel  policy"


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u00a0", "a\n", "a\tb", "\x00", "a\x7f", "a\x85b", "a\u202eb", "a\u200bb", "\ufeffa", "a\u2028b",
     "a\U000e0041", "x" * 101],
)  # fmt: skip
def test_names_that_hide_something_are_refused(text):
    with pytest.raises(ValidationError):
        LABEL.validate_python(text)


@given(st.text(min_size=1, max_size=100))
def test_what_the_description_refuses_the_check_refuses(text):
    described = LABEL.json_schema()
    fits = re.search(described["pattern"], text) is not None and len(text) <= described["maxLength"]

    try:
        LABEL.validate_python(text)
    except ValidationError:
        return

    assert fits
    assert described["pattern"] == ONE_LINE


@pytest.mark.parametrize("moment", ["2026-11-21T12:00:00Z", "2026-11-21t13:00:00.0+01:00"])
def test_moments_are_taken_as_rfc_3339_writes_them(moment):
    assert TypeAdapter(Moment).validate_python(moment).isoformat() == "2026-11-21T12:00:00+00:00"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-00:01"])
def test_moments_that_utc_has_no_name_for_are_refused(moment):
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(moment)


@pytest.mark.parametrize(
    "moment", [1_700_000_000, "1700000000", "2026-11-21", "2026-11-21T12:00:00", "2026-11-21 12:00:00Z", None, True]
)
def test_moments_that_could_mean_another_are_refused(moment):
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(moment)
