"""Whether exported lines are what was written: offline, with nothing but the files and a hash that is trusted (T7).

A line of an export is a hash of 64 hexadecimal digits, a space, and a line of the log; the hash is SHA-256 of the hash
before it (32 bytes) and that line. Several files that continue one another verify as one.
"""

import json
import re
from collections.abc import Iterable
from typing import Final

from shared.audit.chain import Link, genesis, line_hash
from shared.audit.verification import Fault, Finding
from shared.kernel.ids import TenantId

_LINE: Final = re.compile(rb"([0-9a-f]{64}) (\{.*\})")


class ExportVerifier:
    """Reads an export line by line; `findings` and `events` grow as lines come in, `end` is the last line so far."""

    def __init__(self, previous_hash: bytes | None = None) -> None:
        """`previous_hash` is that of the line before the first one, as the export's answer or an anchor tells it.

        None: a log from its first line needs none, and of any other the first line's own hash is believed.
        """
        self.tenant: TenantId | None = None
        self.end: Link | None = None
        self.events = 0
        self.findings: list[Finding] = []
        self._before = set() if previous_hash is None else {previous_hash}

    def take(self, text: bytes) -> None:
        """Take the next line of the export, with or without its line break."""
        found = _LINE.fullmatch(text.rstrip(b"\n"))
        claimed = None if found is None else _claims_of(found[2])
        if found is None or claimed is None:
            self._find(Fault.UNREADABLE, self._expected, "This is no line of an export.")
            self._before = set()
            self.end = Link(self._expected, b"")
            return
        (tenant, seq), written, line = claimed, bytes.fromhex(found[1].decode()), found[2]
        if self.tenant is None:
            self._begin(tenant, seq)
        if tenant != self.tenant:
            self._find(Fault.OUT_OF_PLACE, seq, "This line is of another log.")
            return
        if seq < self._expected:
            self._find(Fault.OUT_OF_PLACE, seq, f"This line stands where {self._expected} belongs.")
            return
        if seq > self._expected:
            self.findings.append(Finding(Fault.MISSING, self._expected, seq - 1, "These lines are missing."))
            self._before = set()
        hashes = {line_hash(previous, line) for previous in self._before} or {written}
        if written not in hashes:
            self._find(Fault.ALTERED, seq, "This line, or its hash, is not what was written.")
        self.events += 1
        self.end = Link(seq, written)
        # Behind a line that was altered the next one fits to the hash that it must have, or to the one that it has.
        self._before = hashes | {written}

    def finish(self, last: Link) -> None:
        """Compare the end of the export with the place that it must end at: a head, or an anchor."""
        if self.end is None or self.end.seq < last.seq:
            self.findings.append(Finding(Fault.TRUNCATED, self._expected, last.seq, "These lines are missing."))
        elif self.end.seq > last.seq:
            self.findings.append(Finding(Fault.BEYOND_HEAD, last.seq + 1, self.end.seq, "These lines are too many."))
        elif last.hash not in self._before:
            self._find(Fault.HEAD_DIFFERS, last.seq, "The last line should have another hash.")

    @property
    def _expected(self) -> int:
        return 1 if self.end is None else self.end.seq + 1

    def _begin(self, tenant: TenantId, seq: int) -> None:
        self.tenant = tenant
        if seq == 1:
            self._before = {genesis(tenant).hash}
        elif self.end is None:
            self.end = Link(seq - 1, b"")

    def _find(self, fault: Fault, seq: int, message: str) -> None:
        self.findings.append(Finding(fault, seq, seq, message))


def verify_export(
    lines: Iterable[bytes], previous_hash: bytes | None = None, last: Link | None = None
) -> list[Finding]:
    """Return what is wrong with the lines of consecutive exports of one log, read one by one.

    `previous_hash` is as for `ExportVerifier`; `last` is the place that they must end at, None wherever they end.
    """
    verifier = ExportVerifier(previous_hash)
    for line in lines:
        verifier.take(line)
    if last is not None:
        verifier.finish(last)
    return verifier.findings


def _claims_of(line: bytes) -> tuple[TenantId, int] | None:
    try:
        facts = json.loads(line)
        tenant, seq = TenantId(str(facts["tenant"])), facts["seq"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (tenant, seq) if type(seq) is int and seq > 0 else None
