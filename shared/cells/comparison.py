"""Does the target of a move have what the source has? Some records at a time, by version and digest (T6)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.cells.ports import Entry


@dataclass(frozen=True, slots=True)
class Comparison:
    """`behind` are the keys that the target lacks, has in an older version, or has with other content.

    `checksum` continues the one before over the source's entries. The target has the same one when nothing is behind:
    an entry that it has in a newer version stands for the source's, which that version replaced.
    """

    behind: tuple[str, ...]
    checksum: str


def compare(before: str, source: Sequence[Entry], target: Mapping[str, Entry]) -> Comparison:
    """Compare entries of the source with the target's of the same keys, listed after the source's.

    The order matters while records are written: what the source had earlier must be in the target later.
    """
    behind = tuple(entry.key for entry in source if not _covers(target.get(entry.key), entry))
    return Comparison(behind, checksum_of(source, before))


def checksum_of(entries: Sequence[Entry], before: str = "") -> str:
    """Return the checksum (BLAKE2b, 256 bits, hex) of `entries` in the order of keys, continuing `before`."""
    checksum = before
    for entry in entries:
        text = repr((checksum, entry.key, entry.version, entry.digest))
        checksum = hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
    return checksum


def _covers(target: Entry | None, source: Entry) -> bool:
    return target is not None and (target == source or target.version > source.version)
