"""The door of the house: targets that explain themselves, and words for what goes wrong."""

import re
import subprocess

import pytest

from localstack import cloud
from localstack.__main__ import COMMANDS, main
from localstack.demo import what_became_of
from localstack.install import ROOT

TARGETS = [
    "help",
    "setup",
    "run",
    "stop",
    "clean",
    "ask",
    "drop",
    "token",
    "status",
    "logs",
    "docs",
    "check",
    "test",
    "bench",
    "evaluate",
    "synth",
    "openapi",
    "lock",
]


def make(*arguments):
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_lists_every_target():
    told = make("help").stdout

    assert [target for target in TARGETS if not re.search(rf"^  make {target} +\S", told, re.MULTILINE)] == []


def test_every_command_that_a_page_names_exists():
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    named = {
        (page.name, target)
        for page in pages
        for target in re.findall(r"(?:`|^|\$\()make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert len(named) > len(pages) / 2
    assert sorted((page, target) for page, target in named if target not in targets) == []


def test_unknown_target_is_answered_with_help():
    result = make("rnu")

    assert result.returncode != 0
    assert 'There is no target "rnu"' in result.stderr
    assert "make help" in result.stderr


def test_missing_python_is_named():
    result = make("setup", "PYTHON=python-that-is-not-there")

    assert result.returncode != 0
    assert "There is no python-that-is-not-there here" in result.stderr
    assert "→" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["rnu"], ["run", "more"]])
def test_unknown_command_prints_the_usage(arguments, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["localstack", *arguments])

    assert main() == 2
    told = capsys.readouterr().err
    assert [name for name in COMMANDS if name not in told] == []


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [("PORT", "80", "PORT=80"), ("PORT", "many", "PORT=many"), ("VECTORS", "redis", "VECTORS=redis")],
)
def test_setting_that_cannot_be_is_refused_with_a_remedy(variable, value, told, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["localstack", "run"])
    monkeypatch.setenv(variable, value)

    assert main() == 1
    error = capsys.readouterr().err
    assert told in error
    assert "→" in error


def test_other_store_than_the_documents_are_in_is_refused(capsys, monkeypatch, tmp_path):
    cloud.claim(tmp_path)
    (tmp_path / "vectors").write_text("sqlite")
    monkeypatch.setattr("localstack.cloud.FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["localstack", "run"])
    monkeypatch.setenv("VECTORS", "opensearch")

    assert main() == 1
    assert "indexed in sqlite" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "variable"), [("ask", "Q"), ("drop", "FILE")])
def test_missing_argument_is_asked_for(command, variable, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["localstack", command])
    monkeypatch.setenv(variable, " ")

    assert main() == 1
    assert f"{variable} is missing" in capsys.readouterr().err


def test_files_of_another_user_are_told_with_a_remedy(capsys, monkeypatch):
    def refused():
        raise PermissionError(13, "Permission denied", "emulator.json")

    monkeypatch.setitem(COMMANDS, "stop", refused)
    monkeypatch.setattr("sys.argv", ["localstack", "stop"])

    assert main() == 1
    told = capsys.readouterr().err
    assert "emulator.json" in told
    assert "another user" in told


def test_file_that_is_refused_is_told_with_its_reason():
    refused = {"name": "big.pdf", "status": "rejected", "reason": "too_large", "reason_detail": "at most 64 MiB"}

    assert what_became_of(refused) == "big.pdf is rejected: too_large, at most 64 MiB"
