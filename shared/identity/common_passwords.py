"""Passwords that are tried first: well-known words and the ways in which people make them longer (T2).

A list of millions would weigh more than all our code and still miss next year's; of at least twelve characters nearly
all entries of such lists are made of these words, rows of keys, counting, repetition and dates. So that is what is
looked for: a password whose characters are explained by them has hardly anything left to guess.
"""

import re
from functools import cache
from typing import Final

_WRITTEN: Final = """
access account admin administrator amanda america andrea andrew angel anthony apple arsenal ashley autumn
babygirl bailey banana barcelona baseball basketball batman biteme blink bonjour buster butterfly charlie cheese
chelsea chicken chocolate computer cookie corvette cowboys daniel default demo diamond dolphin donald dragon
eagles email england enter everyone facebook family ferrari flower football forever freedom friend friends
gandalf george ginger google guest hannah harley heather hello hockey home house hunter hunting iloveu iloveyou
internet jackson jasmine jennifer jessica jesus jordan joshua justin killer king kitty lakers letmein linkedin
liverpool login london love lovely loveme loves maggie manager manchester marina martin master matrix matthew
mercedes merlin michael michelle microsoft monday monkey mother mustang my mynoob myspace naruto newyork nicole
nothing number office oliver orange pass passcode passphrase passw password passwort patrick peanut pepper
phoenix please pokemon porsche prince princess private purple qazwsx qwer rainbow ranger real richard robert
root samantha samsung secret secure security server service shadow silver smokey snoopy soccer softball solo
spider spring starwars steelers student summer sunday sunshine superman superstar support system taylor teacher
tennis tessera test tester testing thomas thunder tigger tinkle trustno user united victoria welcome whatever
william windows winner winter yankees you your yourself zaq january february march april june july august
september october november december correct horse battery staple change changeme changeit motdepasse contrasena
kennwort hallo geheim schatz azerty bienvenue soleil loulou doudou marseille qwertz
"""
_WORDS: Final = frozenset(_WRITTEN.split())
"""Written down by hand. Little words that join others are left out, so that a sentence passes."""

_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "1234567890",
    "!@#$%^&*()",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopu",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1b2c3d4e5f6g7h8",
    "abc123def456ghi789",
)
_SHORTEST_RUN: Final = 3
_LEET: Final = str.maketrans("@4831!0$5716", "aabeiiosstib")
_LEAST_LEFT_TO_GUESS: Final = 5
"""Characters that are none of all this; with fewer a password is as good as known."""

_DATE: Final = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{2,4}|\d(?=\W*$)")
_SEPARATORS: Final = frozenset(" _-.,!?#@$*&+=~:;/'\"()")


def is_commonly_tried(password: str) -> bool:
    """Answer whether almost all of `password` is well-known words, rows of keys, repetition, counting and dates."""
    lowered = password.lower()
    return _is_explained(lowered) or _is_explained(lowered[::-1])


def _is_explained(text: str) -> bool:
    """Answer whether fewer characters than it takes are left when all that is known is taken away."""
    # What is repeated is guessed once.
    unit = text[: (text + text).find(text, 1)]
    return _fewest_unexplained(unit) < _LEAST_LEFT_TO_GUESS or len(unit) < 2 * _LEAST_LEFT_TO_GUESS


def _fewest_unexplained(text: str) -> int:
    """Return how many characters no word, run, repetition or date explains, at best."""
    spelled_out = text.translate(_LEET)
    fewest = [0] * (len(text) + 1)
    for start in range(len(text) - 1, -1, -1):
        best = fewest[start + 1] + (text[start] not in _SEPARATORS)
        for length in _explained_lengths(text, spelled_out, start):
            best = min(best, fewest[start + length])
        fewest[start] = best
    return fewest[0]


def _explained_lengths(text: str, spelled_out: str, start: int) -> set[int]:
    left = len(text) - start
    lengths = {
        size
        for size in _word_sizes()
        if size <= left and not _WORDS.isdisjoint((text[start : start + size], spelled_out[start : start + size]))
    }
    run = _SHORTEST_RUN
    while run <= left and text[start : start + run] in _runs(run):
        lengths.add(run)
        run += 1
    same = 1
    while same < left and text[start + same] == text[start]:
        same += 1
    if same >= _SHORTEST_RUN:
        lengths.add(same)
    date = _DATE.match(text, start)
    if date is not None:
        lengths.add(date.end() - start)
    return lengths


@cache
def _word_sizes() -> tuple[int, ...]:
    return tuple(sorted({len(word) for word in _WORDS}))


@cache
def _runs(size: int) -> frozenset[str]:
    """Return all pieces of that size of the rows of keys, in both directions."""
    both = [row for forward in _ROWS for row in (forward, forward[::-1])]
    return frozenset(row[place : place + size] for row in both for place in range(len(row) - size + 1))
