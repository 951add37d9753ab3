"""Which addresses the bot may connect to: public ones, and those that an operator configured as their own.

Checked after DNS, on the very addresses that are then connected to, so that a name which first leads to a public
address and then to a private one (rebinding) gets nowhere.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.errors import ForbiddenAddress

# Public by registry, private by use: cloud metadata services (Oracle 192.0.0.192, Azure 168.63.129.16).
_METADATA = (ip_network("192.0.0.0/24"), ip_network("168.63.129.16/32"))
_NAT64 = IPv6Network("64:ff9b::/96")
_OWN_SUFFIXES = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def is_public(address: str) -> bool:
    """Tell whether `address` (an IP literal) may belong to a peer on the internet.

    An IPv6 address that carries an IPv4 one (mapped, 6to4, NAT64) is as public as what it carries.
    """
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        parsed = _carried(parsed) or parsed
    return parsed.is_global and not parsed.is_multicast and not any(parsed in network for network in _METADATA)


def is_address(host: str) -> bool:
    """Tell whether a URL's host is an IP literal."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def is_visibly_own(host: str) -> bool:
    """Tell whether a configured host can only mean the operator's own machine or network.

    Such are private addresses, `localhost`, names without a dot (a container's), and the suffixes that no public name
    has. A public name that turns out to lead to a private address is not: that is what rebinding looks like.
    """
    if is_address(host):
        return not is_public(host)
    name = host.lower().rstrip(".")
    return "." not in name or name.endswith(_OWN_SUFFIXES)


def trusted_origins(urls: Iterable[str], *, named: Iterable[str] = ()) -> frozenset[tuple[str, int]]:
    """Give the (host, port) pairs that may be private: the visibly own ones of `urls`, and all of `named`."""
    own = (url for url in urls if is_visibly_own(URL(url).host or ""))
    return frozenset(origin_of(URL(url)) for url in (*own, *named))


def origin_of(url: URL) -> tuple[str, int]:
    """Give the host and port that a URL leads to; (`""`, 0) where it has none."""
    return url.raw_host or "", url.port or 0


def refuse_private(host: str, port: int, trusted: frozenset[tuple[str, int]]) -> None:
    """Raise ForbiddenAddress if `host` is a private IP literal that is not trusted. Names are checked after DNS."""
    if is_address(host) and (host, port) not in trusted and not is_public(host):
        raise forbidden(host)


def forbidden(host: str) -> ForbiddenAddress:
    """Give the error for a peer whose address is none that the bot may connect to."""
    return ForbiddenAddress(
        f"{host} leads to a private address. If it is your own, put its URL into ao.private_origins.",
        reason="forbidden-address",
    )


class CheckedResolver(AbstractResolver):
    """The system's resolver, less the addresses that may not be connected to.

    aiohttp connects to exactly what this returns. Raises ForbiddenAddress where nothing is left.
    """

    def __init__(self, trusted: frozenset[tuple[str, int]]) -> None:
        self._trusted = trusted
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve `host`; only addresses that may be connected to come back."""
        found = await self._system.resolve(host, port, family)
        if (host, port) in self._trusted:
            return found
        allowed = [result for result in found if is_public(result["host"])]
        if found and not allowed:
            raise forbidden(host)
        return allowed

    async def close(self) -> None:
        """Nothing is held."""
        await self._system.close()


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
