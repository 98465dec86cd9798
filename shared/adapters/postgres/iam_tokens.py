"""Signing in to Aurora with the function's own role instead of a password."""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError
from botocore.model import ServiceId
from botocore.session import get_session
from botocore.signers import RequestSigner

from shared.adapters.postgres.addresses import DatabaseAddress

LIFETIME_S: Final = 900
"""How long Aurora takes a token; a connection that it opened lives on."""

RENEWED_AFTER_S: Final = 600


class IamTokens:
    """The password of one user of one database: a token, signed in this process, that serves for ten minutes.

    Source: "IAM database authentication", Amazon Aurora User Guide: a signed request for the action `connect` of the
    service `rds-db`, without its scheme.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        region: str | None = None,
        credentials: Credentials | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
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
            ServiceId("rds-db"), region, "rds-db", "v4", credentials, session.get_component("event_emitter")
        )
        query = urlencode({"Action": "connect", "DBUser": self._address.user})
        request = {
            "method": "GET",
            "url": f"https://{self._address.host}:{self._address.port}/?{query}",
            "body": {},
            "headers": {},
            "context": {},
        }
        address: str = signer.generate_presigned_url(
            request, operation_name="connect", expires_in=LIFETIME_S, region_name=region, signing_name="rds-db"
        )
        return address.removeprefix("https://")
