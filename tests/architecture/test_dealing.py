"""The suite is dealt out to workers by the names of files, and names change."""

import re
import subprocess
import sys
from pathlib import Path

from tests.dealing import PARTS, part_of

TESTS = Path(__file__).resolve().parents[1]
FILES = [file.relative_to(TESTS.parent).as_posix() for file in TESTS.rglob("test_*.py")]


def test_every_name_is_of_a_file():
    names = [name for part in PARTS for name in part]

    assert [name for name in names if not any(file.startswith(name) for file in FILES)] == []
    assert len(names) == len(set(names))


def test_tests_of_a_file_stay_together_and_longest_parts_begin_first():
    assert part_of("tests/local_cloud/test_make.py::test_a") == (0, "tests/local_cloud/")
    assert part_of("tests/unit/a/test_b.py::TestC::test_d[x::y]") == (len(PARTS), "tests/unit/a/test_b.py")
    assert {part_of(file)[0] for file in FILES} == set(range(len(PARTS) + 1))


def test_workers_side_by_side_share_no_part():
    files = ["tests/unit/kernel/test_bodies.py", "tests/unit/kernel/test_pages.py"]
    argv = [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadscope", "-p", "no:cacheprovider", *files]
    shown = subprocess.run(argv, cwd=TESTS.parent, capture_output=True, text=True, check=True, timeout=120).stdout

    ran = re.findall(r"^\[(gw\d)\].* PASSED (\S+?)::", shown, re.MULTILINE)
    assert {file for _, file in ran} == set(files)
    assert len(ran) > len(set(ran)) == len(files)
