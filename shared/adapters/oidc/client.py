"""OpenID Connect over HTTP: discovery, the token endpoint, userinfo, and the one place that verifies ID tokens."""

import asyncio
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import quote_plus, urlencode

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from shared.adapters.http.guarded_fetcher import Answer, DestinationRefusedError, FetchFailedError, GuardedFetcher
from shared.adapters.jose.compact import ID_TOKEN, MalformedTokenError, read_header, read_object
from shared.adapters.jose.public_keys import PublicKey, read_public_keys
from shared.adapters.memory.remembered import Remembered
from shared.adapters.oidc.discovery import discovery_address, read_metadata
from shared.identity.oidc_claims import ExternalIdentity, check_claims, identity_of
from shared.identity.oidc_errors import (
    IdentityProviderUnreachableError,
    RefusedSignInError,
    UnfitIdentityProviderError,
)
from shared.identity.oidc_ports import AuthorizationCode
from shared.identity.oidc_providers import ProviderMetadata
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant, admitted

MAX_REMEMBERED: Final = 256
"""Connections whose provider's documents one process keeps; the one that was not used for longest goes first."""

_JSON: Final = {"accept": "application/json"}

Keys = Mapping[str, PublicKey]
Place = tuple[AdmittedTenant, str]
"""Whose memory, and the address of what is remembered. With one memory for all, what a provider said while somebody
else signed in would decide on a tenant's sign-ins; and who asks for unknown keys would keep others from new ones."""
T = TypeVar("T")


class HttpOpenIdClient:
    """Implements `OpenIdClient`."""

    def __init__(self, fetcher: GuardedFetcher, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._monotonic = monotonic
        self._metadata: OrderedDict[Place, Remembered[ProviderMetadata]] = OrderedDict()
        self._keys: OrderedDict[Place, Remembered[Keys]] = OrderedDict()
        self._signatures = PyJWS(algorithms=sorted(ID_TOKEN.algorithms))

    async def discover(self, tenant: TenantId, issuer: str) -> ProviderMetadata:
        remembered = self._remembered(self._metadata, (admitted(tenant), issuer), lambda: self._fetch_metadata(issuer))
        try:
            return await remembered.get()
        except (OSError, MalformedTokenError) as error:
            _give_up("discovery document", error)

    async def redeem(
        self,
        tenant: TenantId,
        metadata: ProviderMetadata,
        client_id: str,
        client_secret: str | None,
        code: AuthorizationCode,
    ) -> ExternalIdentity:
        own = admitted(tenant)
        tokens = await asyncio.to_thread(self._exchange, metadata, client_id, client_secret, code)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise RefusedSignInError("no-id-token")
        if not isinstance(access_token, str) or not access_token.isascii() or not access_token.isprintable():
            access_token = None
        claims = await self._verify(own, metadata, id_token)
        check_claims(
            claims,
            issuer=metadata.issuer,
            client_id=client_id,
            nonce=code.nonce,
            access_token=access_token,
            now=self._clock.now(),
        )
        if "email" in claims or metadata.userinfo_endpoint is None or access_token is None:
            return identity_of(claims, claims)
        # OpenID Connect Core §5.4: with an access token, e-mail and name are told by userinfo and may stand only there.
        return identity_of(claims, await asyncio.to_thread(self._userinfo, metadata.userinfo_endpoint, access_token))

    async def _verify(self, tenant: AdmittedTenant, metadata: ProviderMetadata, token: str) -> dict[str, Any]:
        try:
            header = read_header(token, ID_TOKEN)
        except MalformedTokenError:
            raise RefusedSignInError("id-token-form") from None
        key = await self._key((tenant, metadata.jwks_uri), header.key_id)
        if key is None or header.algorithm not in key.algorithms:
            raise RefusedSignInError("key")
        try:
            # Only bytes that the signature covers are read: the claims come out of the verified payload.
            payload = self._signatures.decode(token, key.key, algorithms=[header.algorithm])
            return read_object(payload)
        except (MalformedTokenError, PyJWTError):
            raise RefusedSignInError("signature") from None

    async def _key(self, place: Place, key_id: str) -> PublicKey | None:
        remembered = self._remembered(self._keys, place, lambda: self._fetch_keys(place[1]))
        try:
            return (await remembered.get(lambda known: key_id in known)).get(key_id)
        except (OSError, MalformedTokenError) as error:
            _give_up("keys", error)

    def _remembered(
        self, shelf: OrderedDict[Place, Remembered[T]], place: Place, fetch: Callable[[], T]
    ) -> Remembered[T]:
        if place not in shelf:
            shelf[place] = Remembered(fetch, failures=_FAILURES, monotonic=self._monotonic)
            if len(shelf) > MAX_REMEMBERED:
                shelf.popitem(last=False)
        shelf.move_to_end(place)
        return shelf[place]

    def _fetch_metadata(self, issuer: str) -> ProviderMetadata:
        return read_metadata(read_object(self._get(discovery_address(issuer))), issuer)

    def _fetch_keys(self, address: str) -> Keys:
        return read_public_keys(self._get(address), ID_TOKEN.algorithms)

    def _get(self, address: str) -> bytes:
        answer = self._fetcher.get(address, _JSON)
        if answer.status != 200:
            raise FetchFailedError(f"it answers with status {answer.status}")
        return answer.body

    def _exchange(
        self, metadata: ProviderMetadata, client_id: str, client_secret: str | None, code: AuthorizationCode
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code.code,
            "redirect_uri": code.redirect_uri,
            "code_verifier": code.verifier,
        }
        headers = {**_JSON, "content-type": "application/x-www-form-urlencoded"}
        if client_secret is None:
            form["client_id"] = client_id
        else:
            # RFC 6749 §2.3.1: both are form-encoded before they are joined.
            pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        try:
            answer = self._fetcher.post(metadata.token_endpoint, urlencode(form).encode(), headers)
        except OSError as error:
            _give_up("token endpoint", error)
        return _accepted(answer, "token")

    def _userinfo(self, address: str, access_token: str) -> dict[str, Any]:
        try:
            answer = self._fetcher.get(address, {**_JSON, "authorization": f"Bearer {access_token}"})
        except OSError as error:
            _give_up("userinfo", error)
        return _accepted(answer, "userinfo")


_FAILURES: Final = (OSError, MalformedTokenError, UnfitIdentityProviderError)
"""What must not make a provider forgotten that was fine a moment ago: its document may be broken for a while."""

_TOKEN_ERRORS: Final = ("invalid_client", "invalid_grant", "invalid_request", "unauthorized_client")
"""What a token endpoint may say (RFC 6749 §5.2) that helps an owner to correct the connection."""


def _accepted(answer: Answer, step: str) -> dict[str, Any]:
    """Return the JSON object of a good answer. Raises: RefusedSignInError, IdentityProviderUnreachableError."""
    if answer.status >= 500:
        raise IdentityProviderUnreachableError(
            f"The identity provider's {step} endpoint fails with status {answer.status}. Try again later."
        )
    try:
        document = read_object(answer.body)
    except MalformedTokenError:
        raise RefusedSignInError(step) from None
    if answer.status != 200:
        code = document.get("error")
        raise RefusedSignInError(f"{step}: {code}" if code in _TOKEN_ERRORS else step)
    return document


def _give_up(part: str, error: Exception) -> NoReturn:
    if isinstance(error, DestinationRefusedError):
        raise UnfitIdentityProviderError(f"The address of the provider's {part} is refused: {error}.") from error
    reason = str(error) if isinstance(error, FetchFailedError) else "it is no JSON document of the right form"
    raise IdentityProviderUnreachableError(f"The identity provider's {part} cannot be had: {reason}.") from error
