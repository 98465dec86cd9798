"""A page token continues its own list and no other."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.kernel.pages import InvalidPageTokenError, PageToken, page_token, read_page_token

LIST = ("acme", "documents", "kb_1", "ready", None)


@given(after=st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=40))
def test_token_is_read_back_and_fits_its_own_pattern(after: str) -> None:
    token = page_token(after, *LIST)

    assert read_page_token(TypeAdapter(PageToken).validate_python(token), *LIST) == after


@pytest.mark.parametrize(
    "other",
    [
        ("globex", "documents", "kb_1", "ready", None),
        ("acme", "documents", "kb_2", "ready", None),
        ("acme", "documents", "kb_1", None, "ready"),
        ("acme", "documents", "kb_1", "ready", "None"),
        ("acme", "documents", "kb_1", "ready"),
        ("acme", "documentskb_1", "ready", None),
    ],
)
def test_token_of_another_list_is_refused(other: tuple[str | None, ...]) -> None:
    with pytest.raises(InvalidPageTokenError):
        read_page_token(page_token("doc_1", *LIST), *other)


@given(place=st.integers(0, 200), other=st.sampled_from("ABCab01_-"))
def test_token_with_a_changed_character_is_refused(place: int, other: str) -> None:
    token = page_token("doc_00000000000000000000000007", *LIST)
    changed = token[: place % len(token)] + other + token[place % len(token) + 1 :]
    assume(changed != token)

    with pytest.raises(InvalidPageTokenError):
        read_page_token(changed, *LIST)


@given(token=st.text("abcdefghijABCDEFGHIJ0123456789_-", min_size=1, max_size=60))
def test_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidPageTokenError):
        read_page_token(token, *LIST)
