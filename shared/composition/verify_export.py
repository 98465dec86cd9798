"""Verify exported audit logs offline: `python -m shared.composition.verify_export [OPTIONS] FILE…`.

The files are the exports of one log, one after the other. It needs nothing that is deployed, and no network.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from shared.audit.chain import Link
from shared.audit.export_verification import ExportVerifier
from shared.audit.verification import Finding


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what was found; return 0 when there are lines and all are what was written, 1 otherwise."""
    asked = _parser().parse_args(arguments)
    verifier = ExportVerifier(asked.previous_hash)
    try:
        for line in _lines_of(asked.files):
            verifier.take(line)
    except OSError as error:
        sys.stderr.write(f"✗ {error}\n  → Name the files that an export's `url` leads to.\n")
        return 1
    if asked.last is not None:
        verifier.finish(asked.last)
    for finding in _joined(verifier.findings):
        sys.stdout.write(f"✗ {finding.first_seq}–{finding.last_seq} {finding.fault}: {finding.message}\n")
    end = f"; the last one is line {verifier.end.seq}, {verifier.end.hash.hex()}" if verifier.end else ""
    sys.stdout.write(f"{verifier.events} lines of {verifier.tenant or 'no log'}{end if verifier.events else ''}.\n")
    if verifier.findings:
        return 1
    if not verifier.events:
        sys.stdout.write("✗ There is no line to verify.\n")
        return 1
    sys.stdout.write("✓ All lines are what was written.\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="verify_export", description="Verify exported audit logs offline.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="exports of one log, in their order")
    parser.add_argument(
        "--previous-hash",
        type=_hash,
        metavar="HEX",
        help="of the line before the first one; the export says it",
    )
    parser.add_argument("--last", type=_place, metavar="SEQ:HEX", help="where they must end: a head, or an anchor")
    return parser


def _place(text: str) -> Link:
    seq, _, line_hash = text.partition(":")
    if not seq.isdecimal():
        raise argparse.ArgumentTypeError("a number, a colon, and 64 hexadecimal digits are meant")
    return Link(int(seq), _hash(line_hash))


def _hash(text: str) -> bytes:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError("64 hexadecimal digits are meant")
    return bytes.fromhex(text)


def _joined(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield one finding for neighbouring lines of the same fault, which in a file of another kind are all."""
    before: Finding | None = None
    for finding in findings:
        if before and (before.fault, before.message, before.last_seq + 1) == (
            finding.fault, finding.message, finding.first_seq
        ):  # fmt: skip
            before = replace(before, last_seq=finding.last_seq)
            continue
        if before:
            yield before
        before = finding
    if before:
        yield before


def _lines_of(files: Sequence[Path]) -> Iterator[bytes]:
    for file in files:
        with file.open("rb") as opened:
            yield from opened


if __name__ == "__main__":
    sys.exit(main())
