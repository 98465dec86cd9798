"""What a question asks for: its content words, its numbers, and the kind of thing that would answer it (K8)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.retrieval.analysis import analyze

_ASKING_LIST: Final = """
    what which who whom whose when where why how do does did done has have had many much can could would should were
    been than from about please tell me give show you your i we my our
    was wer wem wen wessen wann wo wie warum wieso welche welcher welches welchem ist sind der die das den dem ein eine
"""
_ASKING_WORDS: Final = frozenset(_ASKING_LIST.split())
"""Terms that shape a question and stand in any sentence, so that finding them says nothing."""

_STEM_LENGTH: Final = 5
"""Characters by which inflected forms are matched: "surrender" meets "surrendered"."""

_NUMBER: Final = re.compile(r"\d+(?:[.,:/-]\d+)*")


class Wanted(StrEnum):
    """The kind of thing that would answer a question."""

    QUANTITY = "quantity"
    TIME = "time"
    PERSON = "person"
    PLACE = "place"
    REASON = "reason"
    OTHER = "other"


_CUES: Final = (
    (
        Wanted.QUANTITY,
        (
            r"\bhow (?:many|much|long|far|old|large|big|tall|high|fast|often|deep|wide|heavy)\b"
            r"|\bwhat (?:percent|percentage|number|amount|share|fraction|proportion|age)\b"
            r"|\bwie ?(?:viele?|lange?|oft|hoch)\b"
        ),
    ),
    (Wanted.TIME, r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade|time|era)\b|\bwann\b"),
    (Wanted.PERSON, r"\bwho(?:m|se)?\b|\bwe[rmn]\b"),
    (
        Wanted.PLACE,
        r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|town|region|county|area|location|continent)\b|\bwo\b",
    ),
    (Wanted.REASON, r"\bwhy\b|\bwarum\b|\bwieso\b"),
)

_MONTHS: Final = "january|february|march|april|may|june|july|august|september|october|november|december"
_MOMENT: Final = re.compile(rf"\b(?:1\d|20)\d\ds?\b|\b(?:{_MONTHS})\b|\b\d{{1,2}}(?:st|nd|rd|th)\b", re.IGNORECASE)
_NUMBER_WORD: Final = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|[mb]illion|half|third"
    r"|quarter|percent|first|second|twice|once|ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn)\b",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-ZÀ-ÖØ-Þ][\w’'-]+")
_BECAUSE: Final = re.compile(
    r"\b(?:because|due to|since|so that|in order to|reason|caus\w+|result\w*|therefore|led to|weil|denn|damit)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, read once. `terms` are distinct content terms in order; all of its terms where it has no others."""

    text: str
    terms: tuple[str, ...]
    numbers: frozenset[str]
    wanted: Wanted

    def is_answered_in_kind(self, text: str) -> float:
        """Return 1 when `text` holds the kind of thing asked for, 0 when not, 0.5 when any text might."""
        match self.wanted:
            case Wanted.QUANTITY:
                return float(self._has_new_number(text) or bool(_NUMBER_WORD.search(text)))
            case Wanted.TIME:
                return float(any(found not in self.text for found in _MOMENT.findall(text)))
            case Wanted.PERSON | Wanted.PLACE:
                asked = self.text.casefold()
                return float(any(name.casefold() not in asked for name in _NAME.findall(text)))
            case Wanted.REASON:
                return float(bool(_BECAUSE.search(text)))
            case Wanted.OTHER:
                return 0.5

    def number_coverage(self, text: str) -> float:
        """Return the share of the question's numbers that stand in `text`, 1 where it has none."""
        if not self.numbers:
            return 1.0
        return len(self.numbers & set(_NUMBER.findall(text))) / len(self.numbers)

    def _has_new_number(self, text: str) -> bool:
        return any(found not in self.numbers for found in _NUMBER.findall(text))


def read_question(text: str) -> Question:
    """Return what `text` asks for."""
    found = list(dict.fromkeys(analyze(text)))
    content = tuple(term for term in found if term not in _ASKING_WORDS)
    lowered = text.casefold()
    wanted = next((kind for kind, cue in _CUES if re.search(cue, lowered)), Wanted.OTHER)
    return Question(text, content or tuple(found), frozenset(_NUMBER.findall(text)), wanted)


def stem(term: str) -> str:
    """Return the part of `term` by which its inflected forms are alike."""
    return term[:_STEM_LENGTH]
