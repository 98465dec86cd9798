"""What holds for the whole suite: how it is dealt out to workers, and that nobody is told of other tenants (T5).

Properties are held to what they say, never to the time that a machine with other work takes over an example.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from shared.adapters.powertools.telemetry import PowertoolsTelemetry
from shared.telemetry.silent import SilentTelemetry
from tests.canaries import WATCH, watched, watched_logs, watched_telemetry
from tests.dealing import part_of
from tests.ingestion.cloud import WATCHERS, Cloud
from tests.remembered import forget_apps
from tests.stores import entries_of, leaks_in

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Look at whatever an API in this process answers, at all that is measured, and into every cloud at its end."""
    connect = httpx.ASGITransport.__init__

    def connect_watched(self: httpx.ASGITransport, app: object, *arguments: object, **named: object) -> None:
        connect(self, watched(app), *arguments, **named)  # type: ignore[arg-type]

    httpx.ASGITransport.__init__ = connect_watched  # type: ignore[method-assign]
    for telemetry in (SilentTelemetry, PowertoolsTelemetry):
        watched_telemetry(telemetry)
    WATCHERS.append(nothing_is_out_of_place)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal tests out, where there are workers; one process alone keeps to their order."""
    if not hasattr(config, "workerinput"):
        return
    items.sort(key=lambda item: part_of(item.nodeid)[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a part together; marks of xdist's own groups have no effect with this release of pytest."""
    from xdist.scheduler import LoadScopeScheduling

    class PartScheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return part_of(nodeid)[1]

    return PartScheduling(config, log)


@pytest.fixture(autouse=True)
def _nobody_is_told_of_others() -> Iterator[None]:
    """Whatever is answered, logged and measured in a test bears no mark of a tenant that it is not for."""
    with watched_logs():
        yield
    assert WATCH.take() == []


@pytest.fixture(scope="module", autouse=True)
def _apps_go_with_their_tests() -> Iterator[None]:
    """A worker has the memory for the apps of one module, not for those of all."""
    yield
    forget_apps()


def nothing_is_out_of_place(cloud: Cloud) -> None:
    """Look into all stores of a cloud. Raises: AssertionError where one tenant's bear the marks of another one."""
    assert leaks_in(entries_of(cloud), WATCH.sent) == []
