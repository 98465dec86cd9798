"""The emulator as a process: it keeps its data, tells who is in its way, and ends only itself."""

import os
import signal
import socket
import time

import pytest

from localstack import aws, emulator
from localstack.failures import LocalCloudError
from localstack.ports import HOST
from tests.kept_ports import kept_port

pytestmark = pytest.mark.real_server


@pytest.fixture
def directory(tmp_path):
    yield tmp_path / "emulator"
    emulator.stop(tmp_path / "emulator")


@pytest.fixture
def port():
    with kept_port() as kept:
        yield kept


def test_objects_survive_a_restart_on_the_same_port(directory, port):
    first = emulator.start(directory, port)
    s3 = aws.s3(first.endpoint)
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"kept")
    first.stop()

    second = emulator.start(directory, 0)

    assert second.port == first.port
    assert aws.s3(second.endpoint).get_object(Bucket="bucket", Key="key")["Body"].read() == b"kept"


def test_saved_state_survives_a_sudden_end(directory, port):
    first = emulator.start(directory, port)
    sqs = aws.sqs(first.endpoint)
    sqs.create_queue(QueueName="queue")
    first.save()
    first.process.stop(grace_s=0)

    second = emulator.start(directory, 0)

    assert len(aws.sqs(second.endpoint).list_queues()["QueueUrls"]) == 1


def test_sudden_end_before_any_save_leaves_nothing_in_the_way(directory, port):
    first = emulator.start(directory, port)
    aws.s3(first.endpoint).create_bucket(Bucket="bucket")
    os.kill(first.process.pid, signal.SIGKILL)
    while first.process.is_running():
        time.sleep(0.01)

    second = emulator.start(directory, 0)

    assert aws.s3(second.endpoint).list_buckets()["Buckets"] == []


def test_second_start_finds_the_running_one(directory):
    first = emulator.start(directory, 0)

    assert emulator.start(directory, 0) == first


def test_only_loopback_is_served(directory):
    running = emulator.start(directory, 0)

    # All of 127/8 is this machine: a server on all interfaces would answer here, too.
    with pytest.raises((ConnectionRefusedError, TimeoutError)):
        socket.create_connection(("127.0.0.2", running.port), timeout=1)


def test_taken_port_is_told_with_the_remedy(directory):
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(LocalCloudError, match=rf"Port {port} .* taken") as refused:
            emulator.start(directory, port)

    assert f"make run PORT={port + 1000}" in refused.value.remedy


def test_other_port_than_last_time_is_refused_because_addresses_would_break(directory):
    made = emulator.start(directory, 0)
    made.stop()

    with pytest.raises(LocalCloudError, match=f"made on port {made.port}") as refused:
        emulator.start(directory, made.port + 1)

    assert "make clean run" in refused.value.remedy


def test_emulator_that_cannot_start_says_where_its_log_is(directory, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")

    with pytest.raises(LocalCloudError, match=r"emulator\.log") as refused:
        emulator.start(directory, 0)

    assert "make clean run" in refused.value.remedy
    assert emulator.find(directory) is None


def test_nothing_to_stop_is_no_error(directory):
    assert emulator.stop(directory) is False
