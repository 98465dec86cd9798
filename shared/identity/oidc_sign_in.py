"""Signing in through an identity provider: authorization code with PKCE, for clients without cookies (T2).

Three things only the right parties know keep the steps together: the state travels with the browser, the binding stays
with the client that began, the verifier and the nonce stay here. Sources: RFC 6749, RFC 7636, RFC 9207, RFC 9700,
OpenID Connect Core.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from shared.identity.oidc_admission import Admission
from shared.identity.oidc_errors import (
    REMOVED,
    IdentityProviderNotFoundError,
    NotAdmittedError,
    RefusedSignInError,
    UnknownSignInError,
    UnregisteredRedirectError,
)
from shared.identity.oidc_ports import (
    AuthorizationCode,
    CredentialVault,
    IdentityProviders,
    OpenIdClient,
    PendingSignIn,
    PendingSignIns,
)
from shared.identity.oidc_providers import IdentityProvider, ProviderMetadata, check_fit
from shared.identity.security_events import SecurityEventKind, SecurityEvents, new_event
from shared.identity.session_keeping import SessionKeeper, SignedIn
from shared.identity.users import Users
from shared.kernel.clock import Clock
from shared.kernel.ids import IdentityProviderId, TenantId
from shared.tenancy.models import Member

LIFETIME: Final = timedelta(minutes=10)
SCOPE: Final = "openid email profile"
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """Where to send the browser. `state` comes back with it; `binding` stays with the client and is shown once."""

    authorization_url: str
    state: str
    binding: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReturnedSignIn:
    """What the browser brought back to the client's `redirect_uri`, and the client's own `binding`."""

    state: str
    code: str
    binding: str
    redirect_uri: str
    issuer: str | None


@dataclass(frozen=True, slots=True)
class SignInStart:
    """Begins sign-ins through the connections of organisations."""

    providers: IdentityProviders
    pending: PendingSignIns
    client: OpenIdClient
    clock: Clock

    async def start(self, tenant: TenantId, provider_id: IdentityProviderId, redirect_uri: str) -> StartedSignIn:
        """Begin a sign-in; it must be completed within ten minutes, once.

        Raises: IdentityProviderNotFoundError, UnregisteredRedirectError, UnfitIdentityProviderError,
        IdentityProviderUnreachableError.
        """
        provider = await self.providers.provider(tenant, provider_id)
        if provider is None:
            raise IdentityProviderNotFoundError
        if redirect_uri not in provider.redirect_uris:
            raise UnregisteredRedirectError
        metadata = await self.client.discover(tenant, provider.issuer)
        check_fit(metadata, provider)
        state, binding, nonce, verifier = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(4))
        expires_at = self.clock.now() + LIFETIME
        sign_in = PendingSignIn(tenant, provider_id, redirect_uri, nonce, verifier, expires_at)
        await self.pending.add(_hash(state), _hash(binding), sign_in)
        parameters = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        separator = "&" if "?" in metadata.authorization_endpoint else "?"
        url = f"{metadata.authorization_endpoint}{separator}{urlencode(parameters)}"
        return StartedSignIn(url, state, binding, expires_at)


@dataclass(frozen=True, slots=True)
class SignInCompletion:
    """Completes what was begun."""

    providers: IdentityProviders
    pending: PendingSignIns
    vault: CredentialVault
    client: OpenIdClient
    admission: Admission
    users: Users
    sessions: SessionKeeper
    events: SecurityEvents
    clock: Clock

    async def complete(self, returned: ReturnedSignIn) -> SignedIn:
        """Begin a session of the member who signed in, in the organisation of the connection and no other.

        Raises: UnknownSignInError, RefusedSignInError, NotAdmittedError, UnfitIdentityProviderError,
        IdentityProviderUnreachableError, ChangedMeanwhileError; PasswordChangedMeanwhileError, NoSigningKeyError,
        SigningKeysUnavailableError, SessionsBusyError.
        """
        sign_in = await self.pending.take(_hash(returned.state), _hash(returned.binding), self.clock.now())
        if sign_in is None:
            raise UnknownSignInError
        provider = await self.providers.provider(sign_in.tenant, sign_in.provider_id)
        if provider is None:
            raise UnknownSignInError
        try:
            member = await self._recognise(provider, sign_in, returned)
        except (RefusedSignInError, NotAdmittedError) as refusal:
            await self.events.record(
                provider.tenant,
                new_event(
                    SecurityEventKind.EXTERNAL_SIGN_IN_REFUSED,
                    self.clock.now(),
                    provider=provider.provider_id,
                    reason=f"{refusal.code}: {refusal.facts['reason']}",
                ),
            )
            raise
        user = await self.users.by_id(member.user_id)
        if user is None:
            raise NotAdmittedError(REMOVED)
        return await self.sessions.begin(provider.tenant, user, member.role)

    async def _recognise(self, provider: IdentityProvider, sign_in: PendingSignIn, returned: ReturnedSignIn) -> Member:
        if returned.redirect_uri != sign_in.redirect_uri:
            # The answer of another connection's provider would have come to that connection's address.
            raise RefusedSignInError("redirect_uri")
        metadata = await self.client.discover(provider.tenant, provider.issuer)
        check_fit(metadata, provider)
        _check_issuer(metadata, returned.issuer)
        secret = None
        if provider.sealed_secret is not None:
            secret = await self.vault.open(provider.tenant, provider.provider_id, provider.sealed_secret)
        code = AuthorizationCode(returned.code, sign_in.redirect_uri, sign_in.verifier, sign_in.nonce)
        identity = await self.client.redeem(provider.tenant, metadata, provider.client_id, secret, code)
        return await self.admission.admit(provider, identity)


def _check_issuer(metadata: ProviderMetadata, issuer: str | None) -> None:
    """Source: RFC 9207 §2.4. Raises: RefusedSignInError."""
    if issuer is None and not metadata.names_itself:
        return
    if issuer != metadata.issuer:
        raise RefusedSignInError("iss-parameter")


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
