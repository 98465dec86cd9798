"""The command that brings the tables up to date."""

from typing import Any

import pytest

from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.kernel.databases import NoDatabaseError
from shared.operations.capabilities import DATABASE_OWNER
from shared.operations.registry import load_operation
from tests.postgres.servers import TestDatabase

pytestmark = pytest.mark.real_server


def migrate(server: str, **request: str) -> Any:
    settings = {"TESSERA_ENVIRONMENT": "local", DATABASE_OWNER.variable: "", DATABASE_OWNER.server_variable: server}
    return build_handler(load_operation("operations", "migrate_database"), Settings(settings))(request, None)


def test_tables_come_to_the_newest_revision_and_stay_there(empty_database: TestDatabase) -> None:
    first = migrate(empty_database.owner)

    assert first["before"] is None
    assert migrate(empty_database.owner) == {"before": first["after"], "after": first["after"]}
    assert migrate(empty_database.owner, revision="base") == {"before": first["after"], "after": None}


def test_deployment_without_a_database_says_so() -> None:
    with pytest.raises(NoDatabaseError):
        migrate("")


@pytest.mark.parametrize("revision", ["", "0001; DROP", "-1", "heads"])
def test_revision_is_one_that_can_exist(revision: str) -> None:
    with pytest.raises(ValueError, match="revision"):
        migrate("", revision=revision)
