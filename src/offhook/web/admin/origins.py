"""Where a request comes from: what limits on attempts count by, and what the audit log says.

Anybody can write `X-Forwarded-For`, and a proxy appends the address that it has seen. So the
header is read from its end, and only as far as those who wrote it are proxies that we trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from starlette.requests import Request

Network: TypeAlias = IPv4Network | IPv6Network

_HEADER: Final = "x-forwarded-for"


class Origins:
    """Tells where requests come from, behind proxies in `trusted` networks, or behind none."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def of(self, request: Request) -> str:
        """The address nearest to us that is no trusted proxy, or the last one that can be read."""
        address = request.client.host if request.client else "unknown"
        if not self._trusts(parse(address)):
            return address
        for hop in reversed(",".join(request.headers.getlist(_HEADER)).split(",")):
            found = parse(hop)
            if found is None:
                break
            address = str(found)
            if not self._trusts(found):
                break
        return address

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def parse(hop: str) -> IPv4Address | IPv6Address | None:
    """`203.0.113.7`, `203.0.113.7:4711`, `2001:db8::7` or `[2001:db8::7]:4711` as an address."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
