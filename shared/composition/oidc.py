"""External sign-in of one function, each part built when first asked for."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.composition.adapters import Adapters
from shared.composition.identity import Identity
from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.operations.capabilities import CREDENTIALS_KEY, IDENTITY, INTERNET
from shared.operations.grants import Grants

if TYPE_CHECKING:
    from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
    from shared.identity.oidc_connections import Connecting, Disconnecting
    from shared.identity.oidc_ports import (
        CredentialVault,
        IdentityLinks,
        IdentityProviders,
        OpenIdClient,
        PendingSignIns,
    )
    from shared.identity.oidc_sign_in import SignInCompletion, SignInStart


@dataclass(frozen=True)
class Oidc:
    """Identity providers that organisations connected, and signing in through them."""

    adapters: Adapters
    settings: Settings
    grants: Grants
    identity: Identity
    clock: Clock

    @cached_property
    def connecting(self) -> "Connecting":
        from shared.identity.oidc_connections import Connecting

        return Connecting(
            self._tenancy, self.providers, self._vault, self._client, self.identity.security_events, self.clock
        )

    @cached_property
    def disconnecting(self) -> "Disconnecting":
        from shared.identity.oidc_connections import Disconnecting

        return Disconnecting(self._tenancy, self.providers, self._links, self.identity.security_events, self.clock)

    @cached_property
    def start(self) -> "SignInStart":
        from shared.identity.oidc_sign_in import SignInStart

        return SignInStart(self.providers, self._pending, self._client, self.clock)

    @cached_property
    def completion(self) -> "SignInCompletion":
        from shared.identity.oidc_admission import Admission
        from shared.identity.oidc_sign_in import SignInCompletion

        return SignInCompletion(
            self.providers,
            self._pending,
            self._vault,
            self._client,
            Admission(self._tenancy, self._links, self.clock),
            self.identity.users,
            self.identity.sessions,
            self.identity.security_events,
            self.clock,
        )

    @cached_property
    def providers(self) -> "IdentityProviders":
        from shared.adapters.dynamodb.identity_providers import DynamoIdentityProviders

        return DynamoIdentityProviders(self.adapters.transactions, self.settings.address_of(IDENTITY))

    @cached_property
    def _tenancy(self) -> "DynamoTenancy":
        from shared.adapters.dynamodb.tenancy_records import DynamoTenancy

        return DynamoTenancy(self.adapters.transactions, self.settings.address_of(IDENTITY))

    @cached_property
    def _links(self) -> "IdentityLinks":
        from shared.adapters.dynamodb.identity_providers import DynamoIdentityLinks

        return DynamoIdentityLinks(self.adapters.transactions, self.settings.address_of(IDENTITY))

    @cached_property
    def _pending(self) -> "PendingSignIns":
        from shared.adapters.dynamodb.identity_providers import DynamoPendingSignIns

        return DynamoPendingSignIns(self.adapters.aws.dynamodb, self.settings.address_of(IDENTITY))

    @cached_property
    def _vault(self) -> "CredentialVault":
        from shared.adapters.kms.credential_vault import KmsCredentialVault

        return KmsCredentialVault(self.adapters.aws.kms, self.settings.address_of(CREDENTIALS_KEY))

    @cached_property
    def _client(self) -> "OpenIdClient":
        """It remembers what providers say of themselves between invocations."""
        from shared.adapters.http.destinations import public_only, public_or_loopback
        from shared.adapters.http.guarded_fetcher import GuardedFetcher
        from shared.adapters.oidc.client import HttpOpenIdClient

        self.grants.require(INTERNET)
        reach = public_or_loopback if self.settings.environment == "local" else public_only
        return HttpOpenIdClient(GuardedFetcher(reach), self.clock)
