"""Exported lines are verified offline: any changed byte is found, and at its line (T7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit.chain import Link, genesis, line_hashes
from shared.audit.export_verification import verify_export
from shared.audit.verification import Fault
from shared.composition.verify_export import main
from tests.audit.samples import ACME, GLOBEX, chain


def exported(count, tenant=ACME):
    """Return the lines of an export of a whole log, as `export_audit_log` writes them."""
    lines = [line for block in chain(count, tenant) for line in block.lines]
    hashes = line_hashes(genesis(tenant).hash, lines)
    return [one.hex().encode() + b" " + line + b"\n" for one, line in zip(hashes, lines, strict=True)]


LINES = exported(9)


def hash_of(line):
    return bytes.fromhex(line[:64].decode())


def faults(findings):
    return [(finding.fault, finding.first_seq, finding.last_seq) for finding in findings]


def test_a_whole_log_needs_nothing_but_itself():
    assert verify_export(LINES) == []
    assert verify_export(LINES, last=Link(9, hash_of(LINES[-1]))) == []
    assert verify_export([]) == []


def test_a_part_is_verified_from_the_hash_before_it():
    assert verify_export(LINES[4:], previous_hash=hash_of(LINES[3])) == []
    assert verify_export(LINES[4:]) == []
    assert faults(verify_export(LINES[4:], previous_hash=hash_of(LINES[2]))) == [(Fault.ALTERED, 5, 5)]


def test_a_log_from_its_first_line_is_believed_no_other_beginning():
    forged = exported(3, GLOBEX)
    assert faults(verify_export([forged[0].replace(b"globex", b"acme")])) == [(Fault.ALTERED, 1, 1)]
    assert faults(verify_export(forged, previous_hash=bytes(32))) == []


@given(st.integers(0, 8), st.data())
def test_any_changed_byte_is_found(number, data):
    line = bytearray(LINES[number])
    at = data.draw(st.integers(0, len(line) - 2))
    line[at] ^= data.draw(st.integers(1, 255))
    # As a file is read: a line break within a line makes two of it.
    changed = b"".join([*LINES[:number], bytes(line), *LINES[number + 1 :]]).splitlines(keepends=True)

    found = verify_export(changed, last=Link(9, hash_of(LINES[-1])))

    assert found
    assert min(finding.first_seq for finding in found) <= number + 1


@given(st.integers(0, 8), st.sampled_from([b"viewer", b"get_document", b"203.0.113.7"]))
def test_a_changed_word_is_found_at_its_line_alone(number, word):
    changed = [*LINES[:number], LINES[number].replace(word, word[::-1]), *LINES[number + 1 :]]

    assert faults(verify_export(changed)) == [(Fault.ALTERED, number + 1, number + 1)]


def test_a_changed_hash_is_found_at_its_line_alone():
    changed = [*LINES[:4], b"0" * 64 + LINES[4][64:], *LINES[5:]]

    assert faults(verify_export(changed)) == [(Fault.ALTERED, 5, 5)]


def test_lines_that_are_gone_exchanged_doubled_or_strange_are_found():
    assert faults(verify_export([*LINES[:3], *LINES[5:]])) == [(Fault.MISSING, 4, 5)]
    assert (Fault.OUT_OF_PLACE, 4, 4) in faults(verify_export([*LINES[:3], LINES[4], LINES[3], *LINES[5:]]))
    assert faults(verify_export([*LINES[:3], LINES[2], *LINES[3:]])) == [(Fault.OUT_OF_PLACE, 3, 3)]
    assert faults(verify_export([*LINES, exported(1, GLOBEX)[0]])) == [(Fault.OUT_OF_PLACE, 1, 1)]
    assert faults(verify_export([*LINES[:2], b"nonsense\n", *LINES[3:]])) == [(Fault.UNREADABLE, 3, 3)]


@pytest.mark.parametrize(
    "number", [b"1e999", b"-1", b"0", b"null", b"[3]", b'"3"', b"NaN", b"1.5", b"true", b"9" * 5_000]
)
def test_what_counts_as_no_line_is_no_line(number):
    changed = LINES[2].replace(b'"seq":3', b'"seq":' + number)

    found = verify_export([*LINES[:2], changed, *LINES[3:]])

    assert faults(found) == [(Fault.UNREADABLE, 3, 3)]


def test_an_end_that_is_not_the_expected_one_is_found():
    last = Link(9, hash_of(LINES[-1]))

    assert faults(verify_export(LINES[:7], last=last)) == [(Fault.TRUNCATED, 8, 9)]
    assert faults(verify_export([], last=last)) == [(Fault.TRUNCATED, 1, 9)]
    assert faults(verify_export(LINES, last=Link(8, hash_of(LINES[7])))) == [(Fault.BEYOND_HEAD, 9, 9)]
    assert faults(verify_export(LINES, last=Link(9, bytes(32)))) == [(Fault.HEAD_DIFFERS, 9, 9)]


def test_the_command_says_what_it_found(tmp_path, capsys):
    first, second = tmp_path / "1.log", tmp_path / "2.log"
    first.write_bytes(b"".join(LINES[:4]))
    second.write_bytes(b"".join(LINES[4:]))

    assert main([str(first), str(second), "--last", f"9:{hash_of(LINES[-1]).hex()}"]) == 0
    assert "9 lines of acme" in capsys.readouterr().out
    assert main([str(second), "--previous-hash", hash_of(LINES[3]).hex()]) == 0

    second.write_bytes(b"".join(LINES[4:]).replace(b"viewer", b"owner ", 1))
    assert main([str(first), str(second)]) == 1
    assert "✗ 5–5 altered" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value"), [("--previous-hash", "no hash"), ("--last", "9"), ("--last", "9:no hash")]
)
def test_the_command_refuses_what_is_no_hash(option, value, capsys):
    with pytest.raises(SystemExit):
        main(["x", option, value])
    assert "hexadecimal digits" in capsys.readouterr().err


def test_the_command_believes_no_file_without_lines(tmp_path, capsys):
    nothing = tmp_path / "nothing.log"
    nothing.touch()

    assert main([str(nothing)]) == 1
    assert "✓" not in capsys.readouterr().out


def test_the_command_tells_a_file_that_it_cannot_read(tmp_path, capsys):
    assert main([str(tmp_path / "gone.log")]) == 1
    assert main([str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "gone.log" in told
    assert "→" in told


def test_the_command_tells_a_wrong_file_in_one_line(tmp_path, capsys):
    other = tmp_path / "other.log"
    other.write_bytes(b"what somebody else wrote\n" * 500)

    assert main([str(other)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "✗ 1–500 unreadable: This is no line of an export.",
        "0 lines of no log.",
    ]
