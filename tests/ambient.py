"""How a test reaches services past their entry: as something that works across tenants, which only it is allowed."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.audit.acts import acting
from shared.operations.declaration import CommandTrigger, Operation
from shared.operations.tenants import across
from tests.records import act_of_test


def _look() -> None:
    """Look at whatever a test made."""


LOOKING = Operation(
    "look", "tests", CommandTrigger(), _look, (), 256, 10, across_tenants="a test looks at all that it made"
)


@contextmanager
def reaching_all() -> Iterator[None]:
    """Reach whatever tenants a call names, in the block, as nobody's act."""
    with across(LOOKING):
        yield


@contextmanager
def looking_on() -> Iterator[None]:
    """Reach whatever tenants a call names, in the block, as an act of the test's own."""
    with acting(act_of_test()), reaching_all():
        yield
