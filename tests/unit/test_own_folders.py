"""Folders of a test process: their servers end with it, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from localstack import process
from localstack.install import ROOT
from tests.own_folders import end_servers_in, ending_with_this_process, own_folder

START_AND_WAIT = """
import pathlib, sys, time
from tests.own_folders import own_folder
from tests.unit.localstack.test_local_server import launch
with own_folder("test") as folder:
    launch(folder / "part")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_killed_process_leaves_neither_servers_nor_folders(how):
    argv = [sys.executable, "-c", START_AND_WAIT]
    with subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().decode().strip())
        running = process.load(folder / "part" / "toy.json")
        os.killpg(owner.pid, how)

    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running is not None
    assert not running.is_running()
    assert not folder.exists()


def test_own_folder_is_gone_after_its_block():
    with own_folder("test") as folder:
        (folder / "file").touch()

    assert not folder.exists()


def test_folder_of_a_block_that_ended_stays(tmp_path):
    with ending_with_this_process(tmp_path):
        pass

    assert tmp_path.exists()


def test_servers_of_parts_are_ended_and_other_files_are_none(tmp_path):
    part = tmp_path / "part"
    part.mkdir()
    (part / "deployment.json").write_text('{"fingerprint": "f", "outputs": {}}')
    argv = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    started = process.start(argv, env=os.environ, log=part / "log", directory=part)
    started.save(part / "server.json")

    end_servers_in(tmp_path)

    assert not started.is_running()
