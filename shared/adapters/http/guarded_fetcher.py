"""Requests to addresses that others choose: identity providers, web pages, webhooks (server-side request forgery).

A name is resolved once, every address it has is judged, and the connection goes to one that was judged, so a name that
resolves differently a moment later leads nowhere else. TLS and the Host header still speak of the name.
"""

import io
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from shared.adapters.http.destinations import Destinations, IpAddress
from shared.adapters.http.timed_socket import Deadline, TimedSocket

DEFAULT_TIMEOUT_S: Final = 4.0
DEFAULT_MAX_BYTES: Final = 262_144
MAX_URL_LENGTH: Final = 2048
_TRIED_ADDRESSES: Final = 3
_EXPLANATION_BYTES: Final = 65_536
"""Of an answer that is no success, so much of its body is read."""

_PIECE_BYTES: Final = 65_536
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^][@:%]+)(:[0-9]*)?")
"""A host and perhaps a port, and nothing beside them: what stands before or after brackets, some readers leave out."""

_FIXED_HEADERS: Final = {"connection": "close", "accept-encoding": "identity"}
_PORTS: Final = {"https": 443, "http": 80}

Resolve = Callable[[str, int], list[IpAddress]]


class FetchFailedError(OSError):
    """No usable answer came. The text names no address, so whoever chose the address may read it."""


class DestinationRefusedError(FetchFailedError):
    """The address leads, or could lead, where its chooser has no business."""


class AnswerTooLargeError(FetchFailedError):
    """The answer is larger than the asker takes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whatever its status; redirects are not followed. Names of headers are lower-case.

    `body` is whole for a success (2xx), empty for a redirect (3xx), and else what its first 64 KiB are.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class _FinalResponse(HTTPResponse):
    """Reads past what a server sends before its answer (1xx), of which `http.client` only knows 100."""

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200:
            self.headers = None  # type: ignore[assignment]  # as it is before an answer begins
            super().begin()


def resolve(host: str, port: int) -> list[IpAddress]:
    """Return the addresses of a host, as the system orders them. Raises: OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class Target:
    """An address in parts; `path` carries the query, `authority` is what the Host header says."""

    scheme: str
    host: str
    port: int
    path: str
    authority: str


Admit = Callable[[Target], None]
"""Judges an address before its name is looked up. Raises: DestinationRefusedError."""


def admit_any(_target: Target) -> None:
    """Leave everything to the judgement of what the name resolves to."""


@dataclass(frozen=True)
class GuardedFetcher:
    """Sends one request to where `destinations` allows, within `timeout_s` and for at most `max_bytes` of a body.

    `admit` judges an address by what stands in it, before its name is looked up.
    Proxies of the environment are not used: nobody could judge where they connect to. Only the resolver's own time-out
    limits looking a name up.
    """

    destinations: Destinations
    timeout_s: float = DEFAULT_TIMEOUT_S
    max_bytes: int = DEFAULT_MAX_BYTES
    resolve: Resolve = resolve
    admit: Admit = admit_any
    make_tls: Callable[[], ssl.SSLContext] = field(default=ssl.create_default_context)

    def get(self, url: str, headers: Mapping[str, str] | None = None, deadline: Deadline | None = None) -> Answer:
        """Several requests that belong together share one `deadline`.

        Raises: DestinationRefusedError, AnswerTooLargeError, FetchFailedError.
        """
        return self._send("GET", url, None, headers or {}, deadline or Deadline(self.timeout_s))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises: DestinationRefusedError, AnswerTooLargeError, FetchFailedError."""
        return self._send("POST", url, body, headers, Deadline(self.timeout_s))

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self.make_tls()

    def _send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Answer:
        target = read_target(url)
        self.admit(target)
        try:
            with closing(self._connect(target, deadline)) as connected:
                connection = HTTPConnection(target.host, target.port)
                connection.response_class = _FinalResponse
                # http.client connects by itself only where it was given no socket.
                connection.sock = TimedSocket(connected, deadline)
                fixed = {**_FIXED_HEADERS, "host": target.authority}
                connection.request(method, target.path, body, {**headers, **fixed})
                with connection.getresponse() as response:
                    headers = {name.lower(): value for name, value in response.headers.items()}
                    return Answer(response.status, headers, self._body_of(response))
        except FetchFailedError:
            raise
        except TimeoutError as error:
            raise FetchFailedError(f"no complete answer within {deadline.timeout_s:g} seconds") from error
        except ssl.SSLError as error:
            raise FetchFailedError("its certificate or its TLS is not acceptable") from error
        except HTTPException:
            # It would quote what the server sent, and tracebacks are logged.
            raise FetchFailedError("it cannot be reached, or does not speak HTTP") from None
        except (OSError, UnicodeError) as error:  # UnicodeError: a name with an empty or overlong label
            raise FetchFailedError("it cannot be reached, or does not speak HTTP") from error

    def _connect(self, target: Target, deadline: Deadline) -> socket.socket:
        addresses = self.resolve(target.host, target.port)
        if not addresses or not all(self.destinations(target.scheme, address) for address in addresses):
            raise DestinationRefusedError("it is not an https address of the public internet")
        refusals: list[OSError] = []
        for address in addresses[:_TRIED_ADDRESSES]:
            try:
                connected = socket.create_connection((str(address), target.port), timeout=deadline.left_s())
            except OSError as error:
                refusals.append(error)
                continue
            return self._secured(connected, target, deadline) if target.scheme == "https" else connected
        raise refusals[-1]

    def _secured(self, connected: socket.socket, target: Target, deadline: Deadline) -> socket.socket:
        try:
            connected.settimeout(deadline.left_s())
            return self._tls.wrap_socket(connected, server_hostname=target.host)
        except BaseException:
            connected.close()
            raise

    def _body_of(self, response: HTTPResponse) -> bytes:
        if 300 <= response.status < 400:
            return b""  # where it leads stands in its head
        if not 200 <= response.status < 300:
            return _read(response, min(self.max_bytes, _EXPLANATION_BYTES))
        is_plain = _said(response, "content-encoding") in {"", "identity"}
        if not is_plain or _said(response, "transfer-encoding") not in {"", "chunked"}:
            raise FetchFailedError("it answers in an encoding that was not asked for")
        body = b"" if (response.length or 0) > self.max_bytes else _read(response, self.max_bytes + 1)
        if len(body) > self.max_bytes or (response.length or 0) > self.max_bytes:
            raise AnswerTooLargeError(f"its answer is larger than {self.max_bytes} bytes")
        if response.length:  # http.client does not mind when it was told how much to read
            raise FetchFailedError("its answer is cut off")
        return body


def _said(response: HTTPResponse, name: str) -> str:
    return ", ".join(response.headers.get_all(name, [])).strip().lower()


def _read(response: HTTPResponse, max_bytes: int) -> bytes:
    """Return the first `max_bytes` of a body. Raises: OSError, HTTPException."""
    body = io.BytesIO()
    # Into a buffer: `read` keeps each chunk as an object of its own, and takes one of -1 bytes for all that ever comes.
    piece = memoryview(bytearray(_PIECE_BYTES))
    while body.tell() < max_bytes:
        count = response.readinto(piece[: max_bytes - body.tell()])
        if not count:
            break
        body.write(piece[:count])
    return body.getvalue()


def read_target(url: str) -> Target:
    """Take an address apart. Raises: DestinationRefusedError for all but http(s)://host[:port]/path[?query]."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > MAX_URL_LENGTH:
        raise DestinationRefusedError("it is not a plain address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DestinationRefusedError("it is not a plain address") from error
    if parts.scheme not in _PORTS or not parts.hostname or not _AUTHORITY.fullmatch(parts.netloc) or "#" in url:
        raise DestinationRefusedError("it is not a plain http(s) address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port, path, parts.netloc.lower()
    )
