"""An exported audit log: lines of text that anybody can verify, far from here and with nothing but SHA-256 (T7).

Each line is a hash of 64 hexadecimal digits, one space, and JSON. The first one says behind which place the export
begins: `<hash of line n> {"after":n,"tenant":"…"}`; each further one is a line of the log, `<its hash> <its bytes>`, so
that its hash is SHA-256 of the hash before it (32 bytes) and its own JSON. A part of a log verifies as its whole does,
as long as no line between its first and its last one is left out.
"""

import json
from collections.abc import Iterable, Iterator

from shared.audit.chain import Block, Link, line_hashes
from shared.kernel.ids import TenantId


def export_start(tenant: TenantId, after: Link) -> bytes:
    """Return the first line of an export that begins behind `after`, without a line break."""
    start = json.dumps({"after": after.seq, "tenant": tenant}, sort_keys=True, separators=(",", ":"))
    return export_line(after.hash, start.encode("ascii"))


def export_line(line_hash: bytes, line: bytes) -> bytes:
    """Return one line of an export, without a line break."""
    return b"%s %s" % (line_hash.hex().encode("ascii"), line)


def export_blocks(blocks: Iterable[Block]) -> Iterator[bytes]:
    """Yield the lines of an export of consecutive blocks, the first line apart, each without a line break."""
    for block in blocks:
        hashes = line_hashes(block.previous_hash, block.lines)
        yield from map(export_line, hashes, block.lines)
