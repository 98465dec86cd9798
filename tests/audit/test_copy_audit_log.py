"""`copy_audit_log`: a copy that is gone is made again, whether or not anything says that it is missing."""

import pytest

from shared.adapters.dynamodb.audit_keys import UNPROJECTED
from shared.adapters.postgres.database import Database
from shared.kernel.databases import NoDatabaseError
from shared.operations.capabilities import DATABASE
from shared.operations.registry import load_operation
from tests.audit.test_project_audit_log import elsewhere  # noqa: F401 - a fixture
from tests.postgres.logs import copied

COPY = load_operation("audit", "copy_audit_log")
pytestmark = [pytest.mark.real_server, pytest.mark.slow]


async def test_log_that_nothing_tells_of_is_copied_whole_and_once(cloud, functions, log):
    await log.write(95)
    log.delete(log.items(UNPROJECTED)[UNPROJECTED])

    done = [await functions.invoke(COPY, {"tenant": log.tenant}) for _ in range(2)]

    assert done == [{"events": 95}, {"events": 0}]
    database = Database(cloud.address_of(DATABASE))
    assert [one.seq for one in await copied(database, log.tenant)] == list(range(1, 96))
    database.close()


async def test_deployment_without_a_database_says_so(elsewhere, log):  # noqa: F811
    with pytest.raises(NoDatabaseError):
        await elsewhere.invoke(COPY, {"tenant": log.tenant})


async def test_command_names_whose_log(functions):
    with pytest.raises(ValueError, match="tenant"):
        await functions.invoke(COPY, {})
