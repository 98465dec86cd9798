"""`prepare_audit_months`: there is room for the events of the coming months."""

from typing import Any

import pytest

from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.operations.capabilities import DATABASE
from shared.operations.registry import load_operation
from tests.postgres.servers import TestDatabase, run

pytestmark = pytest.mark.real_server


def prepare(address: str) -> Any:
    settings = Settings({"TESSERA_ENVIRONMENT": "local", DATABASE.variable: address})
    return build_handler(load_operation("audit", "prepare_audit_months"), settings)({}, None)


def test_months_are_made_when_they_are_missing_and_not_again(address: TestDatabase) -> None:
    last = "to_char(now() AT TIME ZONE 'UTC' + interval '3 months', 'YYYY_MM')"
    run(
        address.superuser,
        f"DO $$ BEGIN EXECUTE 'DROP TABLE tessera.audit_events_' || {last}; END $$",
    )

    assert prepare(address.app) == {"made": 1}
    assert prepare(address.app) == {"made": 0}


def test_deployment_without_a_database_has_none_to_make() -> None:
    assert prepare("") == {"made": 0}
