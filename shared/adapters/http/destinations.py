"""Where requests may go whose addresses others choose: never to what only this machine or its network can reach."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

IpAddress = IPv4Address | IPv6Address

Destinations = Callable[[str, IpAddress], bool]
"""Answers whether a connection by a scheme (`https`, `http`) to an address is allowed."""

_GLOBAL_UNICAST: Final = ip_network("2000::/3")
_EMBEDDING_IPV4: Final = (ip_network("2001::/32"), ip_network("2002::/16"))
"""Teredo and 6to4: what they carry inside may be any IPv4 address."""
_NEVER_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # what a virtual machine of Azure asks about itself, under a public address
            "192.88.99.0/24",  # relays of 6to4, withdrawn
            "192.0.0.0/24",  # protocol assignments, some of which count as global
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
        return (
            address in _GLOBAL_UNICAST
            and address.is_global
            and not any(address in network for network in _EMBEDDING_IPV4)
        )
    return address.is_global and not (address.is_multicast or address.is_reserved)
