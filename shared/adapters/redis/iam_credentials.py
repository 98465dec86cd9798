"""Signing in to ElastiCache with the function's own role instead of a password."""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, NoCredentialsError
from botocore.model import ServiceId
from botocore.session import get_session
from botocore.signers import RequestSigner
from redis import CredentialProvider
from redis.exceptions import AuthenticationError

LIFETIME_S: Final = 900
"""How long ElastiCache takes a token; a connection that it opened lives up to twelve hours."""

RENEWED_AFTER_S: Final = 600


class IamCredentials(CredentialProvider):
    """Name and token of one user of one serverless cache; a token serves for ten of its fifteen minutes.

    Source: "Authenticating with IAM", Amazon ElastiCache User Guide: a signed request for the action `connect`, without
    its scheme, is the password.
    """

    def __init__(
        self,
        user: str,
        cache: str,
        region: str | None = None,
        credentials: Credentials | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._user = user
        self._cache = cache
        self._region = region
        self._credentials = credentials
        self._monotonic = monotonic
        self._token = ""
        self._token_until = float("-inf")

    def get_credentials(self) -> tuple[str, str]:
        if self._monotonic() >= self._token_until:
            try:
                self._token = self._signed()
            except BotoCoreError as error:
                raise AuthenticationError("No credentials to sign in to the cache with.") from error
            self._token_until = self._monotonic() + RENEWED_AFTER_S
        return self._user, self._token

    def _signed(self) -> str:
        session = get_session()
        region = self._region or session.get_config_variable("region")
        credentials = self._credentials or session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        signer = RequestSigner(
            ServiceId("elasticache"), region, "elasticache", "v4", credentials, session.get_component("event_emitter")
        )
        query = f"Action=connect&ResourceType=ServerlessCache&User={quote(self._user, safe='')}"
        request = {
            "method": "GET",
            "url": f"https://{self._cache}/?{query}",
            "body": {},
            "headers": {},
            "context": {},
        }
        address: str = signer.generate_presigned_url(
            request, operation_name="connect", expires_in=LIFETIME_S, region_name=region
        )
        return address.removeprefix("https://")
