"""Background processes: ended by what started them, and never mistaken for another."""

import os
import sys
import time
from dataclasses import replace

import pytest

from localstack import process

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    (
        "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "pathlib.Path('up').touch(); time.sleep(60)"
    ),
]


@pytest.fixture
def start(tmp_path):
    started = []

    def launch(argv):
        running = process.start(argv, env=os.environ, log=tmp_path / "log", directory=tmp_path)
        started.append(running)
        return running

    yield launch
    for running in started:
        running.stop(grace_s=0)


def test_process_is_found_again_by_its_file(start, tmp_path):
    running = start(SLEEP)
    running.save(tmp_path / "process.json")

    assert process.load(tmp_path / "process.json") == running


def test_nothing_is_found_without_a_file(tmp_path):
    assert process.load(tmp_path / "process.json") is None


def test_ended_process_is_not_found(start, tmp_path):
    running = start(SLEEP)
    running.save(tmp_path / "process.json")

    running.stop()

    assert process.load(tmp_path / "process.json") is None


def test_another_process_of_the_same_number_is_left_alone(start):
    running = start(SLEEP)
    former = replace(running, born="long ago")

    former.stop()

    assert not former.is_running()
    assert running.is_running()


def test_process_that_does_not_listen_is_ended_after_the_grace(start, tmp_path):
    running = start(STUBBORN)
    while not (tmp_path / "up").exists():
        time.sleep(0.01)

    running.stop(grace_s=0.2)
    time.sleep(0.1)

    assert not running.is_running()


def test_output_goes_to_the_log(start, tmp_path):
    running = start([sys.executable, "-c", "print('hello')"])
    while running.is_running():
        time.sleep(0.01)

    assert (tmp_path / "log").read_text() == "hello\n"
