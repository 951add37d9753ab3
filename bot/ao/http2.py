"""HTTP/2 for the nodes that demand it: the newest HyperBEAM nodes refuse HTTP/1.1 with 426 (ao-facts.md, section 1)."""

from __future__ import annotations

import ssl

import httpx

from bot.ao.addresses import CheckedResolver, is_address


class Http2Channel:
    """httpx's own HTTP/2 transport, one per origin and made on demand, connecting only to addresses that were checked.

    httpx takes no resolver, so the name is looked up here and the connection goes to the address, while `host` and the
    name that TLS proves stay the node's. One transport per origin: a connection is never shared by two names.
    """

    def __init__(self, resolver: CheckedResolver, tls: ssl.SSLContext) -> None:
        self._resolver = resolver
        self._tls = tls
        self._transports: dict[tuple[str, str, int], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the first address that takes a connection answers. Raises httpx's errors or a PeerError."""
        url = httpx.URL(str(request.url))
        port = url.port or (443 if url.scheme == "https" else 80)
        transport = self._transport((url.scheme, url.host, port))
        addresses = [url.host] if is_address(url.host) else await self._addresses(url.host, port)
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        for address in addresses[:-1]:
            request.url = url.copy_with(host=address)
            try:
                return await transport.handle_async_request(request)
            except httpx.ConnectError:
                continue
        request.url = url.copy_with(host=addresses[-1])
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        transports, self._transports = tuple(self._transports.values()), {}
        for transport in transports:
            await transport.aclose()

    async def _addresses(self, host: str, port: int) -> list[str]:
        found = await self._resolver.resolve(host, port)
        return [result["host"] for result in found] or [host]

    def _transport(self, origin: tuple[str, str, int]) -> httpx.AsyncHTTPTransport:
        # httpcore's pool slows down with many connections; HTTP/2 needs one per node.
        if origin not in self._transports:
            limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
            self._transports[origin] = httpx.AsyncHTTPTransport(
                verify=self._tls, http1=False, http2=True, limits=limits, trust_env=False
            )
        return self._transports[origin]
