"""Whether something changed since the last deployment."""

import pytest

from localstack.fingerprint import fingerprint


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "a.py").write_text("a = 1")
    return folder


def test_same_files_have_the_same_fingerprint(source):
    assert fingerprint([source]) == fingerprint([source])


def test_changed_byte_changes_it(source):
    before = fingerprint([source])
    (source / "a.py").write_text("a = 2")

    assert fingerprint([source]) != before


def test_renamed_file_changes_it(source):
    before = fingerprint([source])
    (source / "a.py").rename(source / "b.py")

    assert fingerprint([source]) != before


def test_other_setting_changes_it(source):
    assert fingerprint([source], ["environment=local"]) != fingerprint([source], ["environment=dev"])


def test_compiled_files_do_not_count(source):
    before = fingerprint([source])
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "a.pyc").write_bytes(b"x")

    assert fingerprint([source]) == before


def test_missing_file_is_no_error(tmp_path):
    assert fingerprint([tmp_path / "absent"]) == fingerprint([])
