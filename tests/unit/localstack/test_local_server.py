"""The life of a local server, on a small real one: found, started, waited for, ended, never mistaken."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

import httpx
import pytest

from localstack import process
from localstack.failures import LocalCloudError
from localstack.install import ROOT
from localstack.local_server import LocalServer, PortsTakenError
from localstack.ports import HOST, free_ports
from tests.kept_ports import kept_port

SERVE = """
import http.server, sys
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
print("serving", sys.argv[1], flush=True)
server.serve_forever()
"""
WITH_CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n" + SERVE
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVE
FAILING = "import sys; sys.exit('the reason why')"
SILENT = "import time; print('one moment', flush=True); time.sleep(60)"


@dataclass(frozen=True, slots=True)
class Toy(LocalServer):
    TITLE = "Toy"
    FILES = "toy"
    START_TIMEOUT_S = 20.0
    GRACE_S = 0.3

    def is_ready(self, said):
        return f"serving {self.port}" in said


@dataclass(frozen=True, slots=True)
class HastyToy(Toy):
    """Has no patience, but for the first word of its process: how soon that comes is a matter of the machine."""

    START_TIMEOUT_S = 0.3

    def is_ready(self, said):
        while not self.log_in(self.directory).stat().st_size:
            time.sleep(0.01)
        return False


def command(script=SERVE):
    return lambda port: [sys.executable, "-S", "-c", script, str(port)]


@pytest.fixture(params=["plain", "with a space"])
def folder(tmp_path, request):
    yield tmp_path / request.param
    Toy.stop_in(tmp_path / request.param)


@pytest.fixture
def place(tmp_path):
    yield tmp_path / "toy"
    Toy.stop_in(tmp_path / "toy")


def launch(folder, ports=None, script=SERVE, **more):
    return Toy.launch(folder, free_ports() if ports is None else ports, command(script), **more)


def kill(server):
    os.kill(server.process.pid, signal.SIGKILL)
    while server.process.is_running():
        time.sleep(0.01)


def is_alive(pid):
    return process.start_time(pid) is not None


def test_it_is_found_again_and_ended_by_whoever_knows_its_folder(folder):
    started = launch(folder)

    assert Toy.find(folder) == started
    assert httpx.get(started.endpoint).is_success
    assert [Toy.stop_in(folder), Toy.stop_in(folder)] == [True, False]
    assert Toy.find(folder) is None
    assert not started.process.is_running()


def test_it_outlives_the_command_that_started_it_and_the_end_of_its_terminal(place):
    script = (
        "import pathlib, sys; from localstack.ports import free_ports\n"
        "from tests.unit.localstack.test_local_server import launch\n"
        "launch(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", script, str(place)], cwd=ROOT, check=True, timeout=60)

    found = Toy.find(place)

    assert found is not None
    assert os.getpgid(found.process.pid) == found.process.pid != os.getpgid(0)


def test_nothing_is_found_where_nothing_was_started(place):
    assert Toy.find(place) is None
    assert not Toy.stop_in(place)
    assert not Toy.has_died(place)
    assert Toy.last_port(place) is None


def test_a_killed_one_is_known_to_have_died_and_started_again_on_its_port(place):
    with kept_port() as port:
        first = launch(place, [port])
        kill(first)

        assert Toy.find(place) is None
        assert Toy.has_died(place)
        again = launch(place, [Toy.last_port(place)])

    assert again.port == first.port
    assert not Toy.has_died(place)


def test_one_that_was_stopped_has_not_died(place):
    launch(place).stop()

    assert not Toy.has_died(place)


def test_files_of_a_former_boot_do_not_lead_to_the_process_that_has_the_number_now(place):
    other = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"], start_new_session=True)
    place.mkdir()
    process.Process(other.pid, "of a former boot").save(place / "toy.json")
    (place / "toy.port").write_text("4566")

    assert Toy.find(place) is None
    assert not Toy.stop_in(place)
    launch(place)

    assert other.poll() is None
    other.kill()
    other.wait()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "\0\0\0\0"])
def test_files_that_tell_nothing_are_no_obstacle(place, content):
    place.mkdir()
    (place / "toy.json").write_text(content)
    (place / "toy.port").write_text(content)

    assert Toy.find(place) is None
    assert Toy.last_port(place) is None
    assert launch(place).process.is_running()


def test_taken_ports_are_passed_over(place):
    with socket.create_server((HOST, 0)) as other, kept_port() as free:
        taken = other.getsockname()[1]

        assert launch(place, [taken, free]).port == free


def test_port_that_somebody_takes_meanwhile_is_left_to_them(place):
    """Both saw that it was free; the other one was faster, and answers there."""
    others: list[socket.socket] = []

    def slow_command(port):
        if port == contested:
            others.append(socket.create_server((HOST, contested)))
        return command()(port)

    with kept_port() as contested, kept_port() as free:
        started = Toy.launch(place, [contested, free], slow_command)
    for other in others:
        other.close()

    assert started.port == free


def test_a_port_is_kept_while_it_is_free(place):
    with kept_port() as port:
        first = launch(place, [port])
        first.stop()
        second = launch(place, Toy.ports_for(place))
        second.stop()

        with socket.create_server((HOST, second.port)):
            third = launch(place, Toy.ports_for(place))

    assert first.port == second.port != third.port


def test_no_port_left_is_told(place):
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortsTakenError, match=f"Port {port} .* taken"):
            launch(place, [port])

    assert Toy.find(place) is None


def test_one_that_ends_instead_is_told_at_once_with_the_end_of_its_log(place):
    place.mkdir()
    (place / "toy.log").write_text("what it said in a former life\n")
    began = time.monotonic()

    with pytest.raises(LocalCloudError, match=r"(?s)Toy ended while it started.*toy\.log.*the reason why") as refused:
        launch(place, script=FAILING)

    assert time.monotonic() - began < Toy.START_TIMEOUT_S / 2
    assert "former life" not in str(refused.value)
    assert "make clean run" in refused.value.remedy
    assert Toy.find(place) is None
    assert not Toy.has_died(place)


def test_a_start_that_failed_leaves_the_port_of_last_time(place):
    with pytest.raises(LocalCloudError):
        launch(place, script=FAILING)
    assert Toy.last_port(place) is None

    first = launch(place)
    first.stop()
    with pytest.raises(LocalCloudError):
        launch(place, script=FAILING)

    assert Toy.last_port(place) == first.port


def test_one_that_takes_too_long_is_ended(place):
    with pytest.raises(LocalCloudError, match=r"(?s)did not come up within 0 s.*one moment"):
        HastyToy.launch(place, free_ports(), command(SILENT))

    assert Toy.find(place) is None


def test_a_person_who_waits_is_told_so(place, monkeypatch):
    monkeypatch.setattr("localstack.local_server.PROGRESS_EVERY_S", 0.0)
    told: list[str] = []

    with pytest.raises(LocalCloudError):
        HastyToy.launch(place, free_ports(), command(SILENT), say=told.append)

    assert told
    assert told[0].startswith("Toy is starting")


def test_interruption_while_it_starts_leaves_nothing_behind(place):
    class Interrupted(Toy):
        def is_ready(self, said):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted.launch(place, free_ports(), command())

    assert Toy.find(place) is None


def test_its_children_end_with_it(place):
    started = launch(place, script=WITH_CHILD)
    children = subprocess.run(
        ["ps", "-o", "pid=", "-g", str(started.process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()

    started.stop()

    assert len(children) == 2
    deadline = time.monotonic() + 10
    while any(is_alive(int(child)) for child in children):
        assert time.monotonic() < deadline, children


@pytest.mark.parametrize("script", [DEAF, SERVE], ids=["deaf", "suspended"])
def test_one_that_does_not_listen_is_ended_all_the_same(place, script):
    started = launch(place, script=script)
    if script is SERVE:
        os.kill(started.process.pid, signal.SIGSTOP)

    started.stop()

    assert not started.process.is_running()


def test_two_folders_do_not_know_each_other(tmp_path):
    first, second = launch(tmp_path / "first"), launch(tmp_path / "second")

    assert Toy.stop_in(tmp_path / "first")
    assert Toy.find(tmp_path / "second") == second
    assert first.port != second.port
    second.stop()
