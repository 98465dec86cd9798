"""Reading a discovery document (OpenID Connect Discovery 1.0 §3): strictly where safety hangs on it, else leniently."""

from collections.abc import Mapping
from typing import Any, Final

from shared.adapters.jose.compact import ID_TOKEN
from shared.identity.oidc_errors import UnfitIdentityProviderError
from shared.identity.oidc_providers import ProviderMetadata, plain_address

PATH: Final = "/.well-known/openid-configuration"


def discovery_address(issuer: str) -> str:
    """Return where the issuer's document stands."""
    return issuer.removesuffix("/") + PATH


def read_metadata(document: Mapping[str, Any], issuer: str) -> ProviderMetadata:
    """Return what `document` says of the provider `issuer`.

    Lists that a provider leaves out mean their defaults; PKCE and RFC 9207 have none, so who says nothing of PKCE is
    believed to know it (Amazon Cognito does), and who says nothing of `iss` does not send it.
    Raises: UnfitIdentityProviderError.
    """
    if document.get("issuer") != issuer:
        raise UnfitIdentityProviderError(
            "The provider names another issuer. Copy it from its discovery document, letter by letter."
        )
    if "code" not in _names(document, "response_types_supported", "code"):
        raise UnfitIdentityProviderError("The provider has no authorization code flow.")
    if "S256" not in _names(document, "code_challenge_methods_supported", "S256"):
        raise UnfitIdentityProviderError("The provider does not know PKCE with S256.")
    if ID_TOKEN.algorithms.isdisjoint(_names(document, "id_token_signing_alg_values_supported", "RS256")):
        raise UnfitIdentityProviderError("The provider signs ID tokens with none of RS256, PS256 and ES256.")
    methods = _names(document, "token_endpoint_auth_methods_supported", "client_secret_basic")
    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=_endpoint(document, "authorization_endpoint", issuer),
        token_endpoint=_endpoint(document, "token_endpoint", issuer),
        jwks_uri=_endpoint(document, "jwks_uri", issuer),
        userinfo_endpoint=(
            _endpoint(document, "userinfo_endpoint", issuer) if "userinfo_endpoint" in document else None
        ),
        takes_basic_authentication="client_secret_basic" in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _names(document: Mapping[str, Any], member: str, default: str) -> list[str]:
    found = document.get(member, [default])
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _endpoint(document: Mapping[str, Any], member: str, issuer: str) -> str:
    address = document.get(member)
    parts = plain_address(address) if isinstance(address, str) else None
    # Only a provider of the local cloud has an issuer without TLS; the fetcher let no other one be read.
    allowed = {"https", "http"} if issuer.startswith("http:") else {"https"}
    if not isinstance(address, str) or parts is None or parts.scheme not in allowed:
        raise UnfitIdentityProviderError(f"The provider's {member} is no https address.")
    return address
