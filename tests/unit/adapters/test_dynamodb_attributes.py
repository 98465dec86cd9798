"""Plain values survive their way into DynamoDB's attribute values and back."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**37), 10**37)
VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | NUMBERS,
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    max_leaves=10,
)


@given(VALUES)
def test_value_comes_back_as_it_was(value):
    assert json.dumps(from_attribute(to_attribute(value)), sort_keys=True) == json.dumps(value, sort_keys=True)


@given(NUMBERS)
def test_no_number_is_one_that_dynamodb_refuses(number):
    attribute = to_attribute(number)

    if "N" in attribute:
        written = float(attribute["N"])
        assert written == 0 or 1e-130 <= abs(written) < 1e126
