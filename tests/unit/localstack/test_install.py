"""Set-up in steps: each knows whether what it made is still what it would make."""

import ast
import json
import subprocess
import sys

import pytest

from localstack.install import OLDEST, ROOT, STEPS, Step


@pytest.fixture
def lock(tmp_path):
    lock = tmp_path / "some.lock"
    lock.write_text("one")
    return lock


@pytest.fixture
def step(tmp_path, lock):
    made = tmp_path / "made"

    def install():
        made.write_text(made.read_text() + "x" if made.exists() else "x")

    return Step("Something", tmp_path / "stamp", [lock], [made], install)


def test_second_call_does_nothing(step):
    assert step.ensure()
    assert not step.ensure()


def test_changed_lock_installs_again(step, lock):
    step.ensure()
    lock.write_text("two")

    assert step.ensure()


def test_missing_result_is_installed_again(step):
    step.ensure()
    step.gives[0].unlink()

    assert step.ensure()


def test_failed_step_is_not_taken_for_done(step, tmp_path):
    def fail():
        raise RuntimeError("no network")

    step.ensure()
    broken = Step(step.title, step.stamp, [*step.sources, tmp_path / "stamp"], step.gives, fail)
    with pytest.raises(RuntimeError):
        broken.ensure()

    assert not step.stamp.exists()


def test_every_source_of_a_step_is_committed():
    for step in STEPS:
        for source in step.sources:
            assert source.is_file(), f"{step.title} is made from {source}"


def test_every_locked_node_package_has_a_hash_and_no_address():
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    assert [name for name, package in locked.items() if name and "integrity" not in package] == []
    assert [name for name, package in locked.items() if "resolved" in package] == []


def test_no_node_package_runs_a_script_at_installation():
    assert "ignore-scripts=true" in (ROOT / ".npmrc").read_text(encoding="utf-8").splitlines()


def test_old_interpreters_can_read_the_set_up_far_enough_to_be_refused():
    source = (ROOT / "localstack" / "install.py").read_text(encoding="utf-8")

    ast.parse(source, feature_version=(3, 7))


def test_old_interpreter_is_told_what_to_do():
    program = "import sys; sys.version_info = (3, 9, 1); import localstack.install as install; sys.exit(install.main())"

    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 1
    assert f"Python {OLDEST[0]}.{OLDEST[1]} or newer" in result.stderr
    assert "make setup PYTHON=" in result.stderr
