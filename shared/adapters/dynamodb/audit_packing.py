"""The lines of a block as one binary: gzip, which leaves an eighth or so of what is written, read and stored.

What is unpacked is believed by nobody: the chain covers the lines. Several binaries unpack to the same lines, though
(padding, headers, other ways to compress), so whoever stores one stores its hash beside it.
"""

import gzip
import zlib
from collections.abc import Iterable
from typing import Final

from shared.audit.chain import MOST_EVENTS

MOST_BYTES: Final = 400 * 1024
"""Unpacked; the longest events that there are, as many as a block takes, stay below. More is no block but a bomb."""

_BETWEEN_LINES: Final = b"\n"
_LEVEL: Final = 6
_GZIP: Final = 16 + zlib.MAX_WBITS


def pack(lines: Iterable[bytes]) -> bytes:
    """Return `lines` (at least one, none with a line feed) as one binary; equal lines need not give equal bytes."""
    return gzip.compress(_BETWEEN_LINES.join(lines), _LEVEL, mtime=0)


def unpack(packed: bytes) -> tuple[bytes, ...]:
    """Return the lines that `pack` was given; none when it cannot have made the binary.

    It takes no more time and room than the largest block does, whatever it is given.
    """
    opened = zlib.decompressobj(_GZIP)
    try:
        text = opened.decompress(packed, MOST_BYTES)
    except zlib.error:
        return ()
    if not opened.eof or opened.unused_data or text.count(_BETWEEN_LINES) >= MOST_EVENTS:
        return ()
    return tuple(text.split(_BETWEEN_LINES))
