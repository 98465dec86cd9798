"""The local cloud as a whole, as far as it can be told without one."""

import fcntl

import pytest

from localstack import cloud
from localstack.failures import LocalCloudError
from localstack.process import Process


def test_cloud_that_does_not_run_says_how_to_start_it(tmp_path):
    with pytest.raises(LocalCloudError, match="not running") as refused:
        cloud.find(tmp_path)

    assert refused.value.remedy == "make run"


def test_second_start_at_the_same_time_is_refused(tmp_path):
    with (tmp_path / "starting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(LocalCloudError, match="right now"):
            cloud.start(tmp_path, 0, {}, lambda _: None)


def test_what_is_removed_was_a_local_cloud(tmp_path):
    folder = tmp_path / "a local cloud"
    cloud.claim(folder)
    (folder / "emulator").mkdir()

    cloud.remove(folder)
    cloud.remove(folder)

    assert not folder.exists()


def test_folder_of_other_things_is_neither_used_nor_removed(tmp_path):
    letter = tmp_path / "letter.txt"
    letter.write_text("kept")

    with pytest.raises(LocalCloudError, match="other things"):
        cloud.start(tmp_path, 0, {}, lambda _: None)
    with pytest.raises(LocalCloudError, match="nothing was removed"):
        cloud.remove(tmp_path)

    assert letter.read_text() == "kept"


def test_server_that_died_is_told_from_one_that_was_ended(tmp_path):
    cloud.claim(tmp_path)
    for part in ("emulator", "postgres"):
        (tmp_path / part).mkdir()
    Process(1, "of a former boot").save(tmp_path / "postgres" / "server.json")

    assert cloud.running_servers(tmp_path) == []
    assert cloud.dead_servers(tmp_path) == ["PostgreSQL"]
    assert cloud.stop(tmp_path) == []
    assert cloud.dead_servers(tmp_path) == []
