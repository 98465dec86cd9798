"""External sign-in as callers ask for it and as the API describes it (T2)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from shared.identity.oidc_connections import ConnectionRequest
from shared.identity.oidc_providers import OWN_ID, IdentityProvider, is_redirect_address, plain_address
from shared.identity.oidc_sign_in import ReturnedSignIn, StartedSignIn
from shared.identity.permissions import Role
from shared.identity.session_bodies import TenantName
from shared.identity.users import normalised_email
from shared.kernel.bodies import Description, Label, Request
from shared.kernel.ids import IdentityProviderId

MAX_REDIRECTS = 10
MAX_DOMAINS = 20


def _issuer(text: str) -> str:
    parts = plain_address(text)
    if parts is None or parts.scheme not in {"https", "http"} or "?" in text:
        raise ValueError("is an https address without query and fragment")
    return text


def _redirect(text: str) -> str:
    if not is_redirect_address(text.replace(OWN_ID, "idp")):
        raise ValueError("is an https address, or an http one on loopback, without query and fragment")
    return text


def _domain(text: str) -> str:
    try:
        return normalised_email(f"anybody@{text}").removeprefix("anybody@")
    except ValueError:
        raise ValueError("is what follows the @ of an e-mail address") from None


Issuer = Annotated[str, StringConstraints(max_length=512), AfterValidator(_issuer)]
Redirect = Annotated[str, StringConstraints(max_length=512), AfterValidator(_redirect)]
Domain = Annotated[str, StringConstraints(max_length=253), AfterValidator(_domain)]
ClientId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")]
ClientSecret = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,1024}$")]
Secret = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,4096}$")]
SelfServiceRole = Literal[Role.MAINTAINER, Role.REVIEWER, Role.VIEWER]


class CreateIdentityProviderRequest(Request):
    """A connection to an OpenID provider. `issuer` is copied from its discovery document, letter by letter.

    `{provider_id}` in a redirect address stands for the id of the new connection. Without `client_secret` Tessera is a
    public client there; with one it authenticates by client_secret_basic. People with a verified e-mail address of one
    of `email_domains` are recognised as members or as invited; with `default_role` they become members by signing in.
    """

    name: Label
    issuer: Issuer
    client_id: ClientId
    client_secret: ClientSecret | None = None
    redirect_uris: Annotated[list[Redirect], Field(min_length=1, max_length=MAX_REDIRECTS)]
    email_domains: Annotated[list[Domain], Field(min_length=1, max_length=MAX_DOMAINS)]
    default_role: SelfServiceRole | None = None

    def to_connection(self) -> ConnectionRequest:
        return ConnectionRequest(
            name=self.name,
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=self.client_secret,
            redirect_uris=tuple(self.redirect_uris),
            email_domains=tuple(self.email_domains),
            default_role=self.default_role,
        )


class IdentityProviderDescription(Description):
    """A connection, without its secret. `redirect_uris` are what to register at the provider."""

    id: IdentityProviderId
    name: str
    issuer: str
    client_id: str
    has_client_secret: bool
    redirect_uris: list[str]
    email_domains: list[str]
    default_role: Role | None
    created_at: datetime

    @classmethod
    def of(cls, provider: IdentityProvider) -> "IdentityProviderDescription":
        return cls(
            id=provider.provider_id,
            name=provider.name,
            issuer=provider.issuer,
            client_id=provider.client_id,
            has_client_secret=provider.sealed_secret is not None,
            redirect_uris=list(provider.redirect_uris),
            email_domains=list(provider.email_domains),
            default_role=provider.default_role,
            created_at=provider.created_at,
        )


class IdentityProviderList(Description):
    """All connections: there are few, so there is one page."""

    items: list[IdentityProviderDescription]


class SignInMethod(Description):
    """A provider as a login page shows it."""

    provider_id: IdentityProviderId
    name: str


class SignInMethods(Description):
    """How members of an organisation can sign in besides by password."""

    providers: list[SignInMethod]

    @classmethod
    def of(cls, providers: list[IdentityProvider]) -> "SignInMethods":
        return cls(providers=[SignInMethod(provider_id=one.provider_id, name=one.name) for one in providers])


class StartOidcSignInRequest(Request):
    """Through which provider of which organisation, and where to come back to: one of the registered addresses."""

    tenant: TenantName
    provider_id: IdentityProviderId
    redirect_uri: Annotated[str, StringConstraints(max_length=600)]


class StartedOidcSignIn(Description):
    """Send the browser to `authorization_url`. Keep `state` and `binding`: both are asked for at completion.

    `binding` must not leave the client; it proves that who completes the sign-in is who started it.
    """

    authorization_url: str
    state: str
    binding: str
    expires_at: datetime

    @classmethod
    def of(cls, started: StartedSignIn) -> "StartedOidcSignIn":
        return cls(
            authorization_url=started.authorization_url,
            state=started.state,
            binding=started.binding,
            expires_at=started.expires_at,
        )


class CompleteOidcSignInRequest(Request):
    """What the browser brought back: `state`, `code`, and `iss` if it was there.

    `redirect_uri` is the address at which it arrived, without the query: what was started here must end here.
    """

    state: Secret
    code: Code
    binding: Secret
    redirect_uri: Annotated[str, StringConstraints(max_length=600)]
    iss: Annotated[str, StringConstraints(max_length=512)] | None = None

    def to_returned(self) -> ReturnedSignIn:
        return ReturnedSignIn(self.state, self.code, self.binding, self.redirect_uri, self.iss)
