"""What a robots.txt says to one robot (RFC 9309): the longest matching rule wins, and Allow wins a tie.

The standard library's parser takes the first match and does not know the `*` and `$` of the standard.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

MAX_BYTES: Final = 512 * 1024
"""A robot reads at least 500 KiB (RFC 9309 §2.5)."""
_RULE_BYTES: Final = 128
_SAFE: Final = "/?&=:;@!'()+,~[]%#$*"
_TOKEN: Final = re.compile(r"[a-z_-]*")


@dataclass(frozen=True, slots=True)
class _Rule:
    path: str
    is_allowed: bool

    def matches(self, path: str) -> bool:
        """Match piece by piece, each as early as it can be: no pattern is slow."""
        is_whole = self.path.endswith("$")
        first, *pieces = self.path.removesuffix("$").split("*")
        if not path.startswith(first):
            return False
        at = len(first)
        last = pieces.pop() if is_whole and pieces else None
        for piece in pieces:
            found = path.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        if last is not None:
            return len(path) - len(last) >= at and path.endswith(last)
        return at == len(path) if is_whole else True


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """The rules of one site for one robot; without any, everything is allowed."""

    rules: tuple[_Rule, ...] = ()

    @classmethod
    def read(cls, content: bytes, robot: str) -> "RobotsRules":
        """Return what `content` says to `robot` by name, or else to all (`*`). What cannot be read says nothing."""
        groups = _groups(content.decode("utf-8", "replace").removeprefix("\ufeff"))
        named = [rules for names, rules in groups if robot.lower() in names]
        chosen = named or [rules for names, rules in groups if "*" in names]
        return cls(tuple(rule for rules in chosen for rule in rules))

    @property
    def size_bytes(self) -> int:
        """About how much memory they take."""
        return sum(_RULE_BYTES + len(rule.path) for rule in self.rules)

    def allows(self, path: str) -> bool:
        """Answer whether `path`, with its query, may be fetched."""
        asked = _normal(path).replace("*", "%2A").replace("$", "%24")
        found = [(len(rule.path), rule.is_allowed) for rule in self.rules if rule.matches(asked)]
        return max(found, default=(0, True))[1]


def _groups(text: str) -> list[tuple[set[str], list[_Rule]]]:
    groups: list[tuple[set[str], list[_Rule]]] = []
    opens = True
    for line in text.splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        name, said = key.strip().lower(), value.strip()
        if not colon:
            continue
        if name == "user-agent":
            if opens or not groups:
                groups.append((set(), []))
            opens = False
            groups[-1][0].add(said if said == "*" else _token(said))
        elif name in {"allow", "disallow"} and groups:
            opens = True
            if said:
                groups[-1][1].append(_Rule(_pattern(said), name == "allow"))
    return groups


def _token(said: str) -> str:
    found = _TOKEN.match(said.lower())
    return found[0] if found else ""


def _pattern(said: str) -> str:
    """Spell a rule's path as `_normal` does; a `$` means the end only where it is the last."""
    normal = _normal(said)
    return normal[:-1].replace("$", "%24") + normal[-1:]


def _normal(path: str) -> str:
    """Spell a path in one way: what is written as it is and what is percent-encoded must compare equal."""
    return re.sub(r"%[0-9a-fA-F]{2}", _unreserved, quote(path, safe=_SAFE))


def _unreserved(found: "re.Match[str]") -> str:
    plain = unquote_to_bytes(found[0])
    return plain.decode() if re.fullmatch(rb"[A-Za-z0-9._~-]", plain) else found[0].upper()
