"""The local cloud as a whole, as far as it can be told without one."""

import fcntl

import pytest

from localstack import cloud
from localstack.failures import LocalCloudError


def test_cloud_that_does_not_run_says_how_to_start_it(tmp_path):
    with pytest.raises(LocalCloudError, match="not running") as refused:
        cloud.find(tmp_path)

    assert refused.value.remedy == "make run"


def test_second_start_at_the_same_time_is_refused(tmp_path):
    with (tmp_path / "starting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(LocalCloudError, match="right now"):
            cloud.start(tmp_path, 0, {}, lambda _: None)
