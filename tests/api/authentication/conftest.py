"""A door that remembers nobody yet, and an organisation with one member."""

import pytest

from shared.identity.permissions import Role
from shared.kernel.ids import TenantId
from shared.operations.tenants import across
from tests.api.authentication.ada import ADA
from tests.api.door import DOOR, CountingTelemetry, services_of_the_door
from tests.api.tenants import new_tenant_name


@pytest.fixture
def telemetry():
    return CountingTelemetry()


@pytest.fixture(autouse=True)
def _at_the_door():
    with across(DOOR):
        yield


@pytest.fixture
def door(cloud, clock, telemetry):
    """Recognise callers with a memory that is empty at first."""
    return services_of_the_door(cloud, clock, telemetry).authentication.authenticator


@pytest.fixture
def records(people):
    return people.records


@pytest.fixture
def tenant(people):
    name = TenantId(new_tenant_name())
    people.enrol(name, ADA, Role.MAINTAINER)
    return name
