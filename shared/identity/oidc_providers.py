"""Identity providers that an organisation signs in through, and the rules that make a connection safe (T2)."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shared.identity.oidc_errors import UnfitIdentityProviderError
from shared.identity.permissions import Role
from shared.kernel.ids import IdentityProviderId, TenantId

MAX_PROVIDERS: Final = 10
OWN_ID: Final = "{provider_id}"
"""Stands in a redirect address for the id of the connection, which nobody knows before it is made."""

_PROVIDER_ID: Final = re.compile(r"idp_[0-9a-z]{26}")
_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """One organisation's connection to one OpenID provider; never changed, only made and deleted.

    `issuer` is the provider's name for itself, letter by letter. Who has a verified e-mail address of one of
    `email_domains` (lower-case) may be linked to a member or an invitation; with `default_role` they join by
    themselves. `sealed_secret` is readable to this connection only; None for a public client.
    """

    tenant: TenantId
    provider_id: IdentityProviderId
    name: str
    issuer: str
    client_id: str
    redirect_uris: tuple[str, ...]
    email_domains: tuple[str, ...]
    created_at: datetime
    default_role: Role | None = None
    sealed_secret: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What a provider's discovery document says, as far as Tessera uses it.

    `names_itself` means that each of its answers carries `iss` (RFC 9207).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    takes_basic_authentication: bool
    names_itself: bool


def concrete_redirects(templates: tuple[str, ...], provider_id: IdentityProviderId) -> tuple[str, ...]:
    """Return the redirect addresses of a connection: `OWN_ID` is its id, and no other connection's id stands in them.

    Raises: UnfitIdentityProviderError.
    """
    found = tuple(dict.fromkeys(template.replace(OWN_ID, provider_id) for template in templates))
    for address in found:
        if not is_redirect_address(address):
            raise UnfitIdentityProviderError(
                "A redirect address is https, or http on loopback, and has no query and no fragment."
            )
        if set(_PROVIDER_ID.findall(address)) - {provider_id}:
            raise UnfitIdentityProviderError(f"A redirect address cannot hold another connection's id; write {OWN_ID}.")
    return found


def check_fit(metadata: ProviderMetadata, provider: IdentityProvider) -> None:
    """Accept the connection as one that can be signed in through safely, as the provider is now: it may change.

    A provider that does not name itself in its answers can be passed off as another one (the mix-up attack): its codes
    must then arrive where no other connection's do. Source: RFC 9700 §4.4. Raises: UnfitIdentityProviderError.
    """
    if provider.sealed_secret is not None and not metadata.takes_basic_authentication:
        raise UnfitIdentityProviderError(
            "This provider does not take client_secret_basic. Allow it there, or connect as a public client."
        )
    if not metadata.names_itself and not all(provider.provider_id in uri for uri in provider.redirect_uris):
        raise UnfitIdentityProviderError(
            f"This provider does not send iss with its answers (RFC 9207). Write {OWN_ID} into the path of each "
            "redirect address, and register the addresses that the answer shows at the provider."
        )


def is_redirect_address(text: str) -> bool:
    """Answer whether browsers may be sent back there: https, or http to a program on the user's own machine."""
    parts = plain_address(text)
    if parts is None or parts.query or "?" in text:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def plain_address(text: str) -> SplitResult | None:
    """Return the parts of an address with a host, without fragment and user; None for anything else."""
    if not text.isascii() or not text.isprintable() or set(text) & set(' \\"<>{}^`|') or "#" in text:
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme and parts.hostname and "@" not in parts.netloc else None
