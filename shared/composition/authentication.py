"""Who a request comes from: the parts that recognise a caller, and those that manage API keys, of one function."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.composition.adapters import Adapters
from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.operations.capabilities import IDENTITY
from shared.telemetry.ports import Telemetry

if TYPE_CHECKING:
    from shared.adapters.dynamodb.api_keys import DynamoApiKeys
    from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
    from shared.identity.api_keys import ApiKeys
    from shared.identity.authentication import Authenticator


@dataclass(frozen=True)
class Authentication:
    """What stands behind the authorizer and the operations on API keys."""

    adapters: Adapters
    settings: Settings
    clock: Clock
    telemetry: Telemetry

    @cached_property
    def authenticator(self) -> "Authenticator":
        """It remembers what it looked up, between invocations, for half a minute."""
        from shared.adapters.dynamodb.sessions import DynamoSessions
        from shared.identity.authentication import Authenticator

        sessions = DynamoSessions(self.adapters.transactions, self.settings.address_of(IDENTITY))
        return Authenticator(
            self.adapters.token_verifier, self._members, sessions, self._stored_keys, self.clock, self.telemetry
        )

    @cached_property
    def api_keys(self) -> "ApiKeys":
        from shared.identity.api_keys import ApiKeys

        return ApiKeys(self._stored_keys, self._members, self.clock)

    @cached_property
    def _members(self) -> "DynamoTenancy":
        from shared.adapters.dynamodb.tenancy_records import DynamoTenancy

        return DynamoTenancy(self.adapters.transactions, self.settings.address_of(IDENTITY))

    @cached_property
    def _stored_keys(self) -> "DynamoApiKeys":
        from shared.adapters.dynamodb.api_keys import DynamoApiKeys

        return DynamoApiKeys(self.adapters.transactions, self.settings.address_of(IDENTITY))
