"""The commands of the README as a user types them, on a local cloud of its own folder and port (measure 1)."""

import os
import re
import shlex
import signal
import subprocess
import time

import pytest

from localstack import postgres_server
from localstack.install import ROOT
from tests.kept_ports import kept_port
from tests.own_folders import own_folder

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

README = ROOT / "README.md"
SECOND_RUN_WITHIN_S = 60.0
CITATION = re.compile(r"^\s+(\S+)( · page \d+)? · version \d+ · characters \d+–\d+ · checked", re.MULTILINE)


@pytest.fixture(scope="module")
def folder():
    with own_folder("user of make") as made:
        yield made


@pytest.fixture(scope="module")
def port():
    with kept_port() as kept:
        yield str(kept)


@pytest.fixture(scope="module")
def user(folder, port):
    """Type a command; its local cloud lies in a temporary folder, so that the developer's own is left alone."""

    def type_command(command, **given):
        return subprocess.run(
            ["make", command],
            cwd=ROOT,
            env={**os.environ, "TESSERA_LOCAL_FOLDER": str(folder), "PORT": port, **given},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    yield type_command
    type_command("stop")


def test_first_minutes(user):
    first = user("run")
    assert first.returncode == 0, first.stdout + first.stderr
    assert {cited[0] for cited in CITATION.findall(first.stdout)} >= {
        "rental-terms.txt", "tessera-handbook.md", "travel-policy.pdf"
    }  # fmt: skip
    assert "travel-policy.pdf · page 2" in first.stdout

    began = time.monotonic()
    second = user("run")
    assert second.returncode == 0, second.stdout + second.stderr
    assert time.monotonic() - began < SECOND_RUN_WITHIN_S
    assert "Nothing changed since the last deployment" in second.stdout
    assert len(CITATION.findall(second.stdout)) >= 3


def test_own_document_can_be_added_and_asked(user, tmp_path):
    own = tmp_path / "own note.txt"
    own.write_text("The key to the cellar hangs behind the clock in the kitchen.")

    dropped = user("drop", FILE=str(own))
    answer = user("ask", Q="Where is the key to the cellar?")

    assert dropped.returncode == 0, dropped.stdout + dropped.stderr
    assert "behind the clock in the kitchen" in answer.stdout
    assert "own note.txt" in user("status").stdout


def test_token_is_one_line_that_the_api_accepts(user):
    token = user("token").stdout.strip()

    assert token.count(".") == 2
    assert "\n" not in token


def test_logs_are_what_functions_say_without_measurements(user):
    lines = user("logs").stdout.splitlines()

    assert any("tessera-local-migrate_database" in line for line in lines)
    assert not [line for line in lines if "CloudWatchMetrics" in line or "REPORT RequestId" in line]


def test_readme_brings_a_stranger_in(user):
    (example,) = [block for block in README.read_text().split("```") if "/sign-ups" in block]
    address = user("address").stdout.strip()

    shown = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example.replace("$(make address)", shlex.quote(address))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert '"token"' in shown.stdout


def test_stopped_cloud_keeps_its_documents(user):
    stopped = user("stop")
    without = user("ask", Q="Where is the key to the cellar?")
    again = user("run")
    answer = user("ask", Q="Where is the key to the cellar?")

    assert "AWS emulator" in stopped.stdout
    assert without.returncode != 0
    assert "make run" in without.stderr
    assert "Nothing changed since the last deployment" in again.stdout
    assert "behind the clock in the kitchen" in answer.stdout


def test_server_that_was_killed_is_named_with_the_remedy(user, folder):
    running = postgres_server.find(folder / "postgres")
    assert running is not None
    os.kill(running.process.pid, signal.SIGKILL)

    told = user("status").stdout

    assert "PostgreSQL: ended by itself; make run starts it again" in told
    assert "AWS emulator on" in told


def test_stopping_twice_is_no_error(user):
    user("stop")

    assert user("stop").returncode == 0
