"""What a process hears about fetching from the web."""

import pytest

from shared.composition.settings import Settings, UnsafeSettingError
from shared.operations.fetch_policy import FetchPolicy

LOOPBACK = FetchPolicy(reaches_loopback=True).model_dump_json()


def test_without_a_word_the_safe_rules_hold():
    assert Settings({}).fetch_policy == FetchPolicy()
    assert not FetchPolicy().reaches_loopback
    assert not FetchPolicy().takes_plain_http


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_only_the_local_cloud_reaches_its_own_machine(environment):
    with pytest.raises(UnsafeSettingError):
        _ = Settings({"TESSERA_ENVIRONMENT": environment, "TESSERA_FETCH_POLICY": LOOPBACK}).fetch_policy

    local = Settings({"TESSERA_ENVIRONMENT": "local", "TESSERA_FETCH_POLICY": LOOPBACK})
    assert local.fetch_policy.reaches_loopback
