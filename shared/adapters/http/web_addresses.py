"""Which web addresses may be fetched because a user named them: what an address itself tells, and where it leads.

Whatever one resolver takes for an IP address and another for a name is refused: both would be judged, one be reached.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from shared.adapters.http.destinations import IpAddress, is_public
from shared.adapters.http.guarded_fetcher import DestinationRefusedError, Target

PORTS: Final = frozenset({80, 443})
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_INSIDE: Final = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home.arpa", "onion")
"""Names that only mean something on this machine or inside a network."""


@dataclass(frozen=True)
class WebAddresses:
    """The rules of one deployment.

    With `allowed_hosts`, these hosts and those below them are all that may be fetched; `denied_hosts` never are.
    `reaches_loopback` opens this machine, on any port and without TLS: for tests and the local cloud.
    """

    allowed_hosts: tuple[str, ...] = ()
    denied_hosts: tuple[str, ...] = ()
    takes_plain_http: bool = False
    reaches_loopback: bool = False

    def admit(self, target: Target) -> None:
        """Judge an address before its name is looked up. Raises: DestinationRefusedError."""
        if target.scheme != "https" and not (self.takes_plain_http or self.reaches_loopback):
            raise DestinationRefusedError("it is not an https address")
        if target.port not in PORTS and not self.reaches_loopback:
            raise DestinationRefusedError("its port is not a web server's")
        literal = _literal(target.host)
        if literal is not None:
            if not self.destinations(target.scheme, literal):
                raise DestinationRefusedError("it is not an address of the public internet")
        elif not _is_name(target.host) or (_is_inside(target.host) and not self.reaches_loopback):
            raise DestinationRefusedError("its host is not a name of the public internet")
        if _is_of(target.host, self.denied_hosts):
            raise DestinationRefusedError("this deployment does not fetch from its host")
        if self.allowed_hosts and not _is_of(target.host, self.allowed_hosts):
            raise DestinationRefusedError("this deployment does not fetch from its host")

    def destinations(self, scheme: str, address: IpAddress) -> bool:
        """Answer whether a connection may go to what a name resolved to."""
        if address.is_loopback:
            return self.reaches_loopback
        return is_public(address) and (scheme == "https" or self.takes_plain_http)


def _literal(host: str) -> IpAddress | None:
    """Return the address that `host` is, in the one form that everybody reads alike."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    """Answer whether `host` can only be a name: none that ends in a number, which some read as an IPv4 address."""
    labels = host.split(".")
    return (
        len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels) and _NUMBER.fullmatch(labels[-1]) is None
    )


def _is_inside(host: str) -> bool:
    return "." not in host or _is_of(host, _INSIDE)


def _is_of(host: str, names: tuple[str, ...]) -> bool:
    return any(host == name or host.endswith("." + name) for name in names)
