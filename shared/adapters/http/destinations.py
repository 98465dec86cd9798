"""Where requests may go whose addresses others choose: never to what only this machine or its network can reach."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

IpAddress = IPv4Address | IPv6Address

Destinations = Callable[[str, IpAddress], bool]
"""Answers whether a connection by a scheme (`https`, `http`) to an address is allowed."""

_GLOBAL_UNICAST: Final = ip_network("2000::/3")
_ISATAP: Final = 0x0000_5EFE
_ISATAP_MASK: Final = 0xFDFF_FFFF
"""Of the upper half of an interface's part of an address (RFC 5214 §6.1); the lower half is an IPv4 address."""

_NEVER_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # what a virtual machine of Azure asks about itself, under a public address
            "192.88.99.0/24",  # relays of 6to4, withdrawn
            "192.0.0.0/24",  # protocol assignments, some of which count as global
            "2001::/23",  # likewise, and Teredo, which carries any IPv4 address
            "2002::/16",  # 6to4, which does so too
            "3fff::/20",  # documentation, which older tables do not know
        ),
    )
)


def public_only(scheme: str, address: IpAddress) -> bool:
    """Allow TLS to the public internet."""
    return scheme == "https" and is_public(address)


def public_or_loopback(scheme: str, address: IpAddress) -> bool:
    """Allow what `public_only` allows and, for the local cloud, servers of this machine, also without TLS."""
    return address.is_loopback or public_only(scheme, address)


def is_public(address: IpAddress) -> bool:
    """Answer whether `address` is one of the public internet.

    Private networks, loopback, link-local (the metadata services of clouds), shared, reserved, multicast and
    documentation ranges are not, nor is an IPv6 address that stands for an IPv4 one.

    Source: the IANA special-purpose address registries, as `ipaddress` knows them.
    """
    if any(address in network for network in _NEVER_PUBLIC):
        return False
    if isinstance(address, IPv6Address):
        is_isatap = int(address) >> 32 & _ISATAP_MASK == _ISATAP
        return address in _GLOBAL_UNICAST and address.is_global and not is_isatap
    return address.is_global and not (address.is_multicast or address.is_reserved)
