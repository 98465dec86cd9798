"""What a password must be, and how it is hashed."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.argon2.password_hasher import Argon2PasswordHasher
from shared.identity.common_passwords import is_commonly_tried
from shared.identity.passwords import WeakPasswordError, check_password
from shared.identity.users import normalised_email

EMAIL = "ada.lovelace@analytical.example"


@pytest.mark.parametrize(
    "password",
    [
        "wool lamp gravel kite",
        "kX9#vbQ2!pLm",
        "I walk to work on rainy days",
        "purple monkey dishwasher",
        "ölfarbe tropft leise",
        "雨の日に歩いて仕事へ行く人がいる",
        "x7" + "mango fence under a bridge",
        "gA7-hanging-basil",
        "0f8d3b7e-55c1-4a3e",
    ],
)
def test_good_password_is_accepted(password: str) -> None:
    check_password(password, EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "elevenchars",
        "x" * 129,
        "password1234",
        "Password123!",
        "P@ssw0rd2024!",
        "drowssap1234",
        "qwertyuiop123",
        "1qaz2wsx3edc",
        "zaq12wsxcde3",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "123456789012",
        "839201746538",
        "iloveyou2024!",
        "Summer2026!!!",
        "adminadmin123",
        "letmein.letmein",
        "correct horse battery staple",
        "TesseraTessera",
        "football!2025",
        "welcome-to-1999",
        "            ",
        "flkwpzflkwpz",
        "ada.lovelace 7 flowers",
        "Analytical thinking 9",
    ],
)
def test_password_that_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError) as refusal:
        check_password(password, EMAIL)

    assert not password.strip() or password not in str(refusal.value)


def test_same_characters_written_differently_are_as_long() -> None:
    composed, decomposed = "\u00e9" * 6 + "wxzqkv", "e\u0301" * 6 + "wxzqkv"

    check_password(composed, EMAIL)
    check_password(decomposed, EMAIL)


@given(st.text(max_size=128))
def test_any_text_gets_an_answer(text: str) -> None:
    is_commonly_tried(text)


@pytest.mark.parametrize("characters", [string.ascii_lowercase, string.ascii_letters + string.digits])
def test_random_characters_are_not_taken_for_a_habit(characters: str) -> None:
    chance = random.Random(7)
    drawn = ["".join(chance.choices(characters, k=16)) for _ in range(2000)]

    assert [password for password in drawn if is_commonly_tried(password)] == []


async def test_password_is_recognised_and_nothing_else() -> None:
    hasher = Argon2PasswordHasher(time_cost=1, memory_kib=64)

    hashed = await hasher.hash("wool lamp gravel kit\u00e9")

    assert hashed.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await hasher.verify(hashed, "wool lamp gravel kit\u00e9")
    assert await hasher.verify(hashed, "wool lamp gravel kite\u0301")
    assert not await hasher.verify(hashed, "wool lamp gravel kite")
    assert not await hasher.verify("garbage", "wool lamp gravel kité")
    assert await hasher.hash("wool lamp gravel kité") != hashed


async def test_hash_of_other_parameters_is_to_be_made_anew() -> None:
    weak, strong = Argon2PasswordHasher(time_cost=1, memory_kib=64), Argon2PasswordHasher()

    assert strong.needs_rehash(await weak.hash("wool lamp gravel kite"))
    assert not weak.needs_rehash(await weak.hash("wool lamp gravel kite"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [(" Ada@Example.COM ", "ada@example.com"), ("a+b@x-y.example", "a+b@x-y.example"), ("o'hara@a.b", "o'hara@a.b")],
)
def test_address_has_one_spelling(written: str, meant: str) -> None:
    assert normalised_email(written) == meant


@pytest.mark.parametrize(
    "text",
    ["", "ada", "@a.b", "ada@", "ada@a", "a@@b.c", "a b@c.d", "a@b..c", ".a@b.c", "a@-b.c", "ädä@b.c", "\u212a@b.c",
     "a#b@c.d", "a" * 65 + "@b.c", "a@" + "b" * 64 + ".c", "a@b.c\n\0", "a@b.c/" , "x" * 300],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        normalised_email(text)
