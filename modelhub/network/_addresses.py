"""Which addresses are out in the world, and which lead back to this machine or into somebody's own network."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

__all__ = ["is_public", "literal"]

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address, which is where it leads."""


def is_public(text: str) -> bool:
    """Whether anybody may be meant by this address; what is not known to be public is not."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        within = _within(address)
        return is_public(str(within)) if within else _is_public_six(address)
    return address.is_global and not (address.is_multicast or address.is_reserved)


def literal(host: str) -> str | None:
    """The address that `host` is, in any notation that resolvers take (``2130706433``, ``0x7f.1``); None for names."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _is_public_six(address: IPv6Address) -> bool:
    return address in _GLOBAL_UNICAST and address not in _SIX_TO_FOUR and address.is_global


def _within(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped
