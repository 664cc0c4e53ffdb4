"""Which addresses we post to: by default only those of the public internet.

An address in a setting is trusted, but not the name service that leads there: a name that is
pointed at a private address would make us knock on doors inside. So the check is on the very
address that is connected to (OWASP: server-side request forgery).
"""

from __future__ import annotations

import ipaddress
import socket
from errno import EACCES
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

# Azure's own service within every virtual network, at an address that looks public.
_WITHIN: Final = ipaddress.ip_address("168.63.129.16")


class PrivateError(OSError):
    """The address is not one of the public internet."""


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the internet can reach."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    real = _embedded(parsed) or parsed
    return real.is_global and not real.is_multicast and real != _WITHIN


def _embedded(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | None:
    """The IPv4 address that is hidden in an IPv6 one (mapped, 6to4, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class PublicResolver(AbstractResolver):
    """Resolves names as usual, and refuses those that lead into private networks."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of a name. Raises `PrivateError` if it has none."""
        found = await self._resolver.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise PrivateError(EACCES, f"{host} leads to an address of a private network")
        return public

    async def close(self) -> None:
        """Nothing is held."""
        await self._resolver.close()


def check_literal(host: str) -> None:
    """Refuse an IP address that is written out, for which no resolver is asked."""
    try:
        public = is_public(host)
    except ValueError:
        return  # a name
    if not public:
        raise PrivateError(EACCES, f"{host} is an address of a private network")
