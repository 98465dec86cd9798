"""The one place where ports meet adapters.

Each service is built when first asked for, from the capabilities that the operation declares; an adapter is imported
where it is built, so a function pays only for what it uses.
"""

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING

from shared.composition.settings import Settings
from shared.kernel.clock import Clock, SystemClock
from shared.operations.capabilities import TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_KEYS, Queue
from shared.operations.declaration import Operation
from shared.operations.grants import Grants, UndeclaredUseError
from shared.telemetry.ports import Telemetry
from shared.telemetry.silent import SilentTelemetry

if TYPE_CHECKING:
    from shared.adapters.aws.clients import AwsClients
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

    @cached_property
    def _aws(self) -> "AwsClients":
        from shared.adapters.aws.clients import AwsClients

        names = self._settings.known_addresses()

        def guard(address: str, action: str) -> None:
            name = names.get(address)
            if name is None:
                raise UndeclaredUseError(f"{action} was asked of something unknown to the settings.", action=action)
            self._grants.require_action(name, action)

        return AwsClients(guard)

    @cached_property
    def token_verifier(self) -> "TokenVerifier":
        """Tells who a token speaks for; it remembers the issuer's keys between invocations."""
        from shared.adapters.jose.key_set import KeySet, fetcher
        from shared.adapters.jose.token_verifier import JoseTokenVerifier

        self._grants.require(TOKEN_ISSUER, TOKEN_AUDIENCE, TOKEN_KEYS)
        return JoseTokenVerifier(
            KeySet(fetcher(self._settings.address_of(TOKEN_KEYS.resource), self._settings.environment)),
            issuer=self._settings.address_of(TOKEN_ISSUER.resource),
            audience=self._settings.address_of(TOKEN_AUDIENCE.resource),
            clock=self._clock,
        )

    async def postpone(self, queue: Queue, receipt_handle: str, seconds: int) -> None:
        """Hide a message of `queue` for `seconds` before its next delivery."""
        self._grants.require(queue.receive)
        await asyncio.to_thread(
            self._aws.sqs.change_message_visibility,
            QueueUrl=self._settings.address_of(queue),
            ReceiptHandle=receipt_handle,
            VisibilityTimeout=seconds,
        )


def services_for(operation: Operation, settings: Settings, telemetry: Telemetry | None = None) -> Services:
    """Return the services of one operation, limited to what it declares."""
    return Services(Grants(operation.capabilities), settings, telemetry)
