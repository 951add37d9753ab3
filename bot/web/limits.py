"""Who is asking, and how often one address may."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from bot.bucket import Bucket

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    """Give the address that a request counts for, or None where even the peer has none (a Unix socket).

    `forwarded` holds the values of X-Forwarded-For as they came. They count only as far as trusted proxies wrote them:
    read from the right, the first address that is no trusted proxy is the client. Anybody can write the rest.
    """
    current = _parse(peer or "")
    hops = [hop for value in forwarded for hop in value.split(",")]
    while current is not None and hops and within(current, trusted):
        earlier = _parse(hops.pop())
        if earlier is None:
            break
        current = earlier
    return current


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def within(address: Address, networks: Sequence[Network]) -> bool:
    """Tell whether an address lies in one of the networks."""
    return any(address.version == network.version and address in network for network in networks)


class RateLimit:
    """A token bucket for each address: `burst` at once, `per_second` in the long run.

    A person on IPv6 has at least a /64, so that counts as one address. The oldest of more than `remembered` addresses
    is forgotten, which bounds the memory.
    """

    def __init__(
        self,
        *,
        burst: int,
        per_second: float,
        remembered: int = 10_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._remembered = remembered
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def wait(self, address: Address | None, cost: int = 1) -> float:
        """Take `cost` and give 0, or give the seconds until it would be granted."""
        key = _key(address)
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            bucket = Bucket(rate=self._per_second, burst=self._burst, timer=self._monotonic)
        self._buckets[key] = bucket
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        if (wait := bucket.wait(cost)) > 0:
            return wait
        return bucket.take(cost)


def _key(address: Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
