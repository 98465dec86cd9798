"""What external sign-in needs from outside. The tenant comes first everywhere (invariant 4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.identity.oidc_claims import ExternalIdentity
from shared.identity.oidc_providers import IdentityProvider, ProviderMetadata
from shared.kernel.ids import IdentityProviderId, TenantId, UserId


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in that was sent to its provider. `verifier` and `nonce` are known to nobody else."""

    tenant: TenantId
    provider_id: IdentityProviderId
    redirect_uri: str
    nonce: str
    verifier: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What the provider sent the browser back with, and what proves that we asked for it."""

    code: str
    redirect_uri: str
    verifier: str
    nonce: str


class IdentityProviders(Protocol):
    """The connections of organisations; reads are strongly consistent."""

    async def provider(self, tenant: TenantId, provider_id: IdentityProviderId) -> IdentityProvider | None: ...

    async def providers(self, tenant: TenantId) -> list[IdentityProvider]:
        """Return all connections of an organisation in the order of their creation; none for an unknown one."""
        ...

    async def add(self, provider: IdentityProvider) -> IdentityProvider:
        """Store a connection; return the one that stands under its id, which is another if it was there before."""
        ...

    async def remove(self, tenant: TenantId, provider_id: IdentityProviderId) -> IdentityProvider | None:
        """Delete the connection and return it, None when there is none."""
        ...


class IdentityLinks(Protocol):
    """Which subjects of a connection are which users. Linking is part of joining (tenancy)."""

    async def user_of(self, tenant: TenantId, provider_id: IdentityProviderId, subject: str) -> UserId | None:
        """Return the user; strongly consistent."""
        ...

    async def is_linked(self, tenant: TenantId, provider_id: IdentityProviderId, user_id: UserId) -> bool:
        """Answer whether some subject of the connection is that user; strongly consistent."""
        ...

    async def forget(self, tenant: TenantId, provider_id: IdentityProviderId) -> None:
        """Delete all links of a connection; doing it twice changes nothing."""
        ...


class PendingSignIns(Protocol):
    """Sign-ins under way, under the hash of their state."""

    async def add(self, state_hash: str, binding_hash: str, sign_in: PendingSignIn) -> None: ...

    async def take(self, state_hash: str, binding_hash: str, now: datetime) -> PendingSignIn | None:
        """Remove and return the sign-in; of any number of equal calls one gets it.

        None, and nothing removed, when the state is unknown, the binding another one, or the time over.
        """
        ...


class CredentialVault(Protocol):
    """Seals what a tenant entrusts to us: only the same tenant's same provider can open it again."""

    async def seal(self, tenant: TenantId, provider_id: IdentityProviderId, secret: str) -> str: ...

    async def open(self, tenant: TenantId, provider_id: IdentityProviderId, sealed: str) -> str: ...


class OpenIdClient(Protocol):
    """Talks to providers. What one said is remembered for the tenant that asked: ten minutes, and while it is down."""

    async def discover(self, tenant: TenantId, issuer: str) -> ProviderMetadata:
        """Return what the provider says of itself.

        Raises: IdentityProviderUnreachableError; UnfitIdentityProviderError when it is not the issuer that it should
        be, has endpoints that cannot be trusted, or lacks what safe sign-in needs.
        """
        ...

    async def redeem(
        self,
        tenant: TenantId,
        metadata: ProviderMetadata,
        client_id: str,
        client_secret: str | None,
        code: AuthorizationCode,
    ) -> ExternalIdentity:
        """Exchange the code and return who signed in, beyond doubt.

        Raises: RefusedSignInError, IdentityProviderUnreachableError.
        """
        ...
