"""The authorizer's own services, on the emulator and under a clock that a test moves."""

from datetime import UTC, datetime, timedelta

from shared.composition.services import Services
from shared.identity.authentication import Authenticator
from shared.operations.grants import Grants
from shared.operations.registry import load_operation
from shared.telemetry.silent import SilentTelemetry
from tests.ingestion.cloud import Cloud

DOOR = load_operation("identity", "authorize_request")


class MovableClock:
    """The machine's clock, and by how much it goes ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class CountingTelemetry(SilentTelemetry):
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.counted: list[str] = []

    def count(self, name: str, amount: int = 1) -> None:
        self.counted += [name] * amount


def services_of_the_door(cloud: Cloud, clock: MovableClock, telemetry: SilentTelemetry | None = None) -> Services:
    """Return services that are limited to what the authorizer declares."""
    return Services(Grants(DOOR.capabilities, DOOR.id), cloud.settings, telemetry, clock)


def authenticator_of(cloud: Cloud, clock: MovableClock) -> Authenticator:
    return services_of_the_door(cloud, clock).authentication.authenticator
