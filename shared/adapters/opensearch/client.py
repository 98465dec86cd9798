"""The connection to OpenSearch, and what its failures mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, Urllib3HttpConnection
from opensearchpy.exceptions import ConnectionError as NoConnectionError
from opensearchpy.exceptions import TransportError

from shared.retrieval.ports import IndexUnavailableError

TIMEOUT_S: Final = 10.0
CONNECTIONS: Final = 16
RETRIES: Final = 2

_OVERLOADED: Final = frozenset({408, 429, 502, 503, 504})
_REFUSED: Final = frozenset({401, 403})


def connect(address: str, region: str | None = None) -> OpenSearch:
    """Return a client of `address`; nothing is sent yet.

    Requests to an https address are signed (SigV4) with the credentials of the process, for `region` or else its own; a
    node reached by http (loopback, a container) gets plain requests.
    """
    is_signed = urlsplit(address).scheme == "https"
    return OpenSearch(
        hosts=[address],
        http_auth=_signature(region) if is_signed else None,
        connection_class=Urllib3HttpConnection,
        http_compress=is_signed,
        pool_maxsize=CONNECTIONS,
        timeout=TIMEOUT_S,
        max_retries=RETRIES,
        retry_on_status=tuple(_OVERLOADED - {408, 504}),
        retry_on_timeout=False,
    )


def _signature(region: str | None) -> Urllib3AWSV4SignerAuth:
    import boto3  # only where requests are signed

    session = boto3.Session()
    return Urllib3AWSV4SignerAuth(session.get_credentials(), region or session.region_name, "es")


@contextmanager
def translated_failures() -> Iterator[None]:
    """Turn failures that may pass into IndexUnavailableError; the others are faults of ours and go through."""
    try:
        yield
    except NoConnectionError as error:
        raise IndexUnavailableError(
            "OpenSearch could not be reached in time; try again, and look at the domain's health."
        ) from error
    except TransportError as error:
        if error.status_code in _OVERLOADED:
            raise IndexUnavailableError("OpenSearch is overloaded; try again later.") from error
        if error.status_code in _REFUSED:
            raise IndexUnavailableError(
                "OpenSearch refused the signature; check the function's role and the domain's access policy."
            ) from error
        raise
