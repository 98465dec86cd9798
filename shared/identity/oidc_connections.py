"""Connecting an organisation to its identity providers (T2)."""

from dataclasses import dataclass, replace
from typing import Protocol

from shared.identity.caller import Caller
from shared.identity.oidc_errors import (
    IdentityProviderLimitError,
    IdentityProviderNotFoundError,
    IdentityProviderUnreachableError,
    UnfitIdentityProviderError,
)
from shared.identity.oidc_ports import CredentialVault, IdentityLinks, IdentityProviders, OpenIdClient
from shared.identity.oidc_providers import MAX_PROVIDERS, IdentityProvider, check_fit, concrete_redirects
from shared.identity.permissions import Role
from shared.identity.security_events import SecurityEventKind, SecurityEvents, new_event
from shared.kernel.clock import Clock
from shared.kernel.ids import IdentityProviderId, TenantId
from shared.tenancy.granting import check_grant, check_owner
from shared.tenancy.models import Tenant

SELF_SERVICE_ROLES = (Role.MAINTAINER, Role.REVIEWER, Role.VIEWER)
"""The roles that somebody may get by signing in, without anybody's word: never one that decides who gets in."""


@dataclass(frozen=True, slots=True)
class ConnectionRequest:
    """What an owner says of a provider. `redirect_uris` may hold `{provider_id}`, which stands for the new id."""

    name: str
    issuer: str
    client_id: str
    client_secret: str | None
    redirect_uris: tuple[str, ...]
    email_domains: tuple[str, ...]
    default_role: Role | None


class Organisations(Protocol):
    """Organisations, one by one; reads are strongly consistent."""

    async def tenant(self, tenant: TenantId) -> Tenant | None: ...


@dataclass(frozen=True, slots=True)
class Connecting:
    """Makes connections."""

    organisations: Organisations
    providers: IdentityProviders
    vault: CredentialVault
    client: OpenIdClient
    events: SecurityEvents
    clock: Clock

    async def create(
        self, caller: Caller, provider_id: IdentityProviderId, request: ConnectionRequest
    ) -> IdentityProvider:
        """Return the connection, after the provider itself was asked whether all fits. Repeated, it returns the same.

        Raises: GrantBeyondCallerError for all but owners without limits: whoever decides which provider is believed
        could sign in as anybody. IdentityProviderLimitError, UnfitIdentityProviderError.
        """
        check_grant(caller, Role.OWNER, None)
        check_owner(caller, await self.organisations.tenant(caller.tenant))
        if request.default_role is not None and request.default_role not in SELF_SERVICE_ROLES:
            raise UnfitIdentityProviderError("Who joins by themselves is a maintainer, a reviewer or a viewer.")
        known = await self.providers.providers(caller.tenant)
        for one in known:
            if one.provider_id == provider_id:
                return one
        if len(known) >= MAX_PROVIDERS:
            raise IdentityProviderLimitError(
                f"An organisation has at most {MAX_PROVIDERS} identity providers. Delete one first."
            )
        provider = await self._fitting(caller.tenant, provider_id, request)
        stored = await self.providers.add(provider)
        await self.events.record(
            caller.tenant,
            new_event(
                SecurityEventKind.IDENTITY_PROVIDER_CREATED,
                stored.created_at,
                by=caller.user,
                provider=provider_id,
                issuer=provider.issuer,
            ),
        )
        return stored

    async def _fitting(
        self, tenant: TenantId, provider_id: IdentityProviderId, request: ConnectionRequest
    ) -> IdentityProvider:
        provider = IdentityProvider(
            tenant=tenant,
            provider_id=provider_id,
            name=request.name,
            issuer=request.issuer,
            client_id=request.client_id,
            redirect_uris=concrete_redirects(request.redirect_uris, provider_id),
            email_domains=tuple(dict.fromkeys(domain.lower() for domain in request.email_domains)),
            created_at=self.clock.now(),
            default_role=request.default_role,
        )
        try:
            metadata = await self.client.discover(tenant, request.issuer)
        except IdentityProviderUnreachableError as error:
            # Whoever names a provider is at fault if it is not there.
            raise UnfitIdentityProviderError(str(error)) from error
        if request.client_secret is not None:
            sealed = await self.vault.seal(tenant, provider_id, request.client_secret)
            provider = replace(provider, sealed_secret=sealed)
        check_fit(metadata, provider)
        return provider


@dataclass(frozen=True, slots=True)
class Disconnecting:
    """Deletes connections."""

    organisations: Organisations
    providers: IdentityProviders
    links: IdentityLinks
    events: SecurityEvents
    clock: Clock

    async def delete(self, caller: Caller, provider_id: IdentityProviderId) -> None:
        """Delete the connection: nobody signs in through it any more; sessions that it opened go on until they end.

        Raises: GrantBeyondCallerError, IdentityProviderNotFoundError.
        """
        check_grant(caller, Role.OWNER, None)
        check_owner(caller, await self.organisations.tenant(caller.tenant))
        removed = await self.providers.remove(caller.tenant, provider_id)
        # Repeated after a crash in between, it still clears up.
        await self.links.forget(caller.tenant, provider_id)
        if removed is None:
            raise IdentityProviderNotFoundError
        await self.events.record(
            caller.tenant,
            new_event(
                SecurityEventKind.IDENTITY_PROVIDER_DELETED,
                self.clock.now(),
                by=caller.user,
                provider=provider_id,
                issuer=removed.issuer,
            ),
        )
