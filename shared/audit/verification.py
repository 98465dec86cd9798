"""Whether one tenant's audit log is what was written: any changed byte, gap, exchange or missing end shows, and where.

Pure: blocks come in, in the order in which they are stored, and findings come out. A finding says what does not fit;
the chain is then followed on from what is stored, so that one change is not reported for every line behind it.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.audit.chain import MOST_EVENTS, Block, Link, UnreadableBlock, line_hash
from shared.kernel.ids import TenantId

_JSON: Final = json.JSONDecoder()

UNKNOWN: Final = b""
"""Stands for the hash of a line that could not be read."""

UNREADABLE_HEAD: Final = Link(0, UNKNOWN)
"""Stands for a head that could not be read."""


class Fault(StrEnum):
    """What is wrong with some lines."""

    ALTERED = "altered"
    """They, or their hashes, are not what was written."""
    MISSING = "missing"
    """They are not there, but later ones are."""
    OUT_OF_PLACE = "out-of-place"
    """They stand where others belong: exchanged, or there twice."""
    UNREADABLE = "unreadable"
    """What is stored in their place is neither block nor head."""
    TRUNCATED = "truncated"
    """They were there, and nothing behind them is: the head or an anchor tells of them."""
    BEYOND_HEAD = "beyond-head"
    """They stand behind the last line that the head tells of."""
    HEAD_DIFFERS = "head-differs"
    """The head has another hash for this line."""
    ANCHOR_DIFFERS = "anchor-differs"
    """An anchor has another hash for this line: the chain was made anew since."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with lines `first_seq` to `last_seq`, both included."""

    fault: Fault
    first_seq: int
    last_seq: int
    message: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a chain was followed: the last line with the hash that it must have, and with the one that is stored.

    The two differ behind a line that was altered; then the next one may fit to either.
    """

    place: Link
    stored: bytes

    @classmethod
    def at(cls, place: Link) -> "Progress":
        """Return the progress of whoever trusts `place`."""
        return cls(place, place.hash)


class ChainVerifier:
    """Follows one tenant's chain; `findings` and `events` (lines that were looked at) grow as blocks come in."""

    def __init__(self, tenant: TenantId, start: Progress) -> None:
        self.progress = start
        self.events = 0
        self.findings: list[Finding] = []
        self._tenant = tenant
        self._told_next = start.place.seq + 1  # by the last block itself, whatever lines it holds
        self._anchored: dict[int, set[bytes]] = {}

    def expect(self, anchor: Link) -> None:
        """Compare a line that comes with its anchor; there may be several of one line."""
        self._anchored.setdefault(anchor.seq, set()).add(anchor.hash)

    def take(self, stored: Block | UnreadableBlock) -> None:
        """Take what is stored next; afterwards its last line is where the verifier stands."""
        if isinstance(stored, UnreadableBlock):
            self._skip(stored)
        elif self._is_next(stored):
            if stored.lines:
                self._follow(stored)
            else:
                self._pass_over(stored)

    def finish(self, head: Link | None) -> None:
        """Compare the end that was reached with `head` (None: there is no head) and with anchors of later lines."""
        place = self.progress.place
        told = max((seq for seq in self._anchored if seq > place.seq), default=place.seq)
        if head is UNREADABLE_HEAD:
            self._find(Fault.UNREADABLE, place.seq, place.seq, "The head cannot be read.")
        elif head is None:
            if place.seq:
                self._find(Fault.HEAD_DIFFERS, place.seq, place.seq, "The head is missing.")
        elif head.seq < place.seq:
            self._find(Fault.BEYOND_HEAD, head.seq + 1, place.seq, "The head does not tell of these lines.")
        elif head.seq > place.seq:
            told = max(told, head.seq)
        elif head.hash != place.hash and place.hash != UNKNOWN:
            self._find(Fault.HEAD_DIFFERS, head.seq, head.seq, "The head has another hash for the last line.")
        if told > place.seq:
            self._find(Fault.TRUNCATED, place.seq + 1, told, "These lines were there and are gone.")

    def _is_next(self, block: Block) -> bool:
        """Compare where the block begins with where the last one ended; False: it is to be left out."""
        progress, expected = self.progress, self.progress.place.seq + 1
        first, last = block.first_seq, block.last_seq
        if block.tenant != self._tenant:
            self._find(Fault.OUT_OF_PLACE, first, last, "These lines are of another log.")
            return False
        if first not in {expected, self._told_next} and first < expected:
            self._find(Fault.OUT_OF_PLACE, first, last, f"These lines stand where line {expected} belongs.")
            return False
        if first not in {expected, self._told_next}:
            self._find(Fault.MISSING, expected, first - 1, "These lines are missing.")
        elif progress.place.hash != UNKNOWN and block.previous_hash not in {progress.place.hash, progress.stored}:
            self._find(Fault.ALTERED, first, last, "These lines do not continue the line before them.")
        return True

    def _follow(self, block: Block) -> None:
        running, last_seq = block.previous_hash, block.first_seq + len(block.lines) - 1
        strangers = []
        for seq, line in enumerate(block.lines, start=block.first_seq):
            running = line_hash(running, line)
            if seq in self._anchored and self._anchored[seq] != {running}:
                self._find(Fault.ANCHOR_DIFFERS, seq, seq, "This line was anchored with another hash.")
            if _claims_of(line) != (self._tenant, seq):
                strangers.append(seq)
        self.events += len(block.lines)
        if running != block.last_hash or last_seq != block.last_seq:
            self._find(Fault.ALTERED, block.first_seq, last_seq, "These lines have another hash than the stored one.")
        else:
            # What was altered after it was sealed has been found; this is for what was sealed wrong.
            for seq in strangers:
                self._find(Fault.ALTERED, seq, seq, "This line says that it is another one.")
        self.progress = Progress(Link(last_seq, running), block.last_hash)
        self._told_next = block.last_seq + 1

    def _pass_over(self, block: Block) -> None:
        """Go on behind a block of which everything can be read but its lines."""
        if not 0 <= block.last_seq - block.first_seq < MOST_EVENTS:
            self._skip(UnreadableBlock(block.first_seq))
            return
        self._find(Fault.ALTERED, block.first_seq, block.last_seq, "These lines cannot be read any more.")
        if self._anchored.get(block.last_seq, {block.last_hash}) != {block.last_hash}:
            self._find(
                Fault.ANCHOR_DIFFERS, block.last_seq, block.last_seq, "This line was anchored with another hash."
            )
        self.progress = Progress.at(block.end)
        self._told_next = block.last_seq + 1

    def _skip(self, unreadable: UnreadableBlock) -> None:
        seq, expected = unreadable.first_seq, self.progress.place.seq + 1
        at = expected if seq is None else seq
        if at > expected:
            self._find(Fault.MISSING, expected, at - 1, "These lines are missing.")
        self._find(Fault.UNREADABLE, at, at, "What is stored for the lines from this one on cannot be read.")
        if seq is not None:
            self.progress = Progress.at(Link(seq, UNKNOWN))

    def _find(self, fault: Fault, first_seq: int, last_seq: int, message: str) -> None:
        self.findings.append(Finding(fault, first_seq, last_seq, message))


def _claims_of(line: bytes) -> tuple[object, object]:
    """Return which tenant and which place a line says that it has."""
    try:
        text = line.decode("ascii")
        facts, end = _JSON.raw_decode(text)
        return (facts["tenant"], facts["seq"]) if end == len(text) else (None, None)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, None
