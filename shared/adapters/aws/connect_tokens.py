"""Signing in to a server of AWS with the function's own role: a signed request to connect stands in for a password."""

import time
from collections.abc import Callable
from typing import Final

from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError
from botocore.model import ServiceId
from botocore.session import get_session
from botocore.signers import RequestSigner

LIFETIME_S: Final = 900
"""How long AWS takes a token; a connection that it opened lives on."""

RENEWED_AFTER_S: Final = 600


class ConnectTokens:
    """Tokens of one user of one server, signed in this process; each serves for ten of its fifteen minutes.

    `service` is the name that is signed for, `server` a host with or without a port, `query` names action and user.
    Source: "IAM database authentication", Amazon Aurora User Guide, and "Authenticating with IAM", Amazon ElastiCache
    User Guide: a signed request for the action `connect`, without its scheme, is the password.
    """

    def __init__(
        self,
        service: str,
        server: str,
        query: str,
        region: str | None = None,
        credentials: Credentials | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._address = f"https://{server}/?{query}"
        self._region = region
        self._credentials = credentials
        self._monotonic = monotonic
        self._token = ""
        self._token_until = float("-inf")

    def __call__(self) -> str:
        """Return a token that is good for some minutes at least. Raises: NoCredentialsError."""
        if self._monotonic() >= self._token_until:
            self._token = self._signed()
            self._token_until = self._monotonic() + RENEWED_AFTER_S
        return self._token

    def _signed(self) -> str:
        session = get_session()
        region = self._region or session.get_config_variable("region")
        credentials = self._credentials or session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        signer = RequestSigner(
            ServiceId(self._service), region, self._service, "v4", credentials, session.get_component("event_emitter")
        )
        request = {"method": "GET", "url": self._address, "body": {}, "headers": {}, "context": {}}
        signed: str = signer.generate_presigned_url(
            request, operation_name="connect", expires_in=LIFETIME_S, region_name=region, signing_name=self._service
        )
        return signed.removeprefix("https://")
