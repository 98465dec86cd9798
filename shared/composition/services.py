"""The domain services of one function, each built when first asked for, on the adapters that it was granted."""

import asyncio
from typing import TYPE_CHECKING

from shared.composition.adapters import Adapters
from shared.composition.settings import Settings
from shared.kernel.clock import Clock, SystemClock
from shared.operations.capabilities import Queue
from shared.operations.declaration import Operation
from shared.operations.grants import Grants
from shared.telemetry.ports import Telemetry
from shared.telemetry.silent import SilentTelemetry

if TYPE_CHECKING:
    from shared.identity.tokens import TokenVerifier


class Services:
    """The domain services of one function."""

    def __init__(
        self, grants: Grants, settings: Settings, telemetry: Telemetry | None = None, clock: Clock | None = None
    ) -> None:
        self._grants = grants
        self._settings = settings
        self._telemetry = telemetry or SilentTelemetry()
        self._clock = clock or SystemClock()
        self._adapters = Adapters(grants, settings, self._clock)

    @property
    def token_verifier(self) -> "TokenVerifier":
        """Tells who a token speaks for."""
        return self._adapters.token_verifier

    async def postpone(self, queue: Queue, receipt_handle: str, seconds: int) -> None:
        """Hide a message of `queue` for `seconds` before its next delivery."""
        self._grants.require(queue.receive)
        await asyncio.to_thread(
            self._adapters.aws.sqs.change_message_visibility,
            QueueUrl=self._settings.address_of(queue),
            ReceiptHandle=receipt_handle,
            VisibilityTimeout=seconds,
        )


def services_for(operation: Operation, settings: Settings, telemetry: Telemetry | None = None) -> Services:
    """Return the services of one operation, limited to what it declares."""
    return Services(Grants(operation.capabilities), settings, telemetry)
