"""What went wrong in an exchange, told by its cause and put into our own tree (`bot/errors.py`).

httpx-aiohttp makes `httpx.ConnectTimeout` of a refused connection, a failed name lookup and a reset alike, and lets
aiohttp's refusal of an answer escape as it is; so the whole chain of causes is looked at, never the outermost alone.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import aiohttp
import httpx
from aiohttp.http_exceptions import LineTooLong

from bot.errors import BrokenAnswer, PeerError, TimedOut, Unreachable

CLIENT_ERRORS = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    aiohttp.ClientError,
    OSError,
    EOFError,
    ValueError,
)
"""All that httpx, httpcore, aiohttp, ssl and the idna codec raise for what a peer or its address did."""

_REFUSED = {errno.ECONNREFUSED}
_UNROUTABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}
_RESET = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ESHUTDOWN}


def classify(error: Exception, host: str) -> PeerError:
    """Give the PeerError for one of CLIENT_ERRORS. `host` is only used in the sentence."""
    causes = tuple(_chain(error))
    for find in (_already_ours, _address, _time, _names, _tls, _bounds, _connection, _transfer):
        found = find(causes, host)
        if found is not None:
            return found
    return BrokenAnswer(f"{host} did not speak HTTP as it should.", reason="protocol")


def timed_out(host: str, deadline: float) -> TimedOut:
    """Give the error for an exchange that its deadline (seconds) ended."""
    return TimedOut(f"{host} had not answered after {deadline:g} seconds.", reason="timeout")


def malformed(host: str) -> Unreachable:
    """Give the error for an address that can be nobody's."""
    return Unreachable(f"{host[:100]} is no address of a peer.", reason="malformed")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _already_ours(causes: tuple[BaseException, ...], _host: str) -> PeerError | None:
    return next((cause for cause in causes if isinstance(cause, PeerError)), None)


def _address(causes: tuple[BaseException, ...], host: str) -> PeerError | None:
    if any(isinstance(cause, (aiohttp.InvalidURL, httpx.InvalidURL)) for cause in causes):
        return malformed(host)
    return None


def _time(causes: tuple[BaseException, ...], host: str) -> PeerError | None:
    # aiohttp's own time errors, and httpx's where no other cause is behind them.
    if isinstance(causes[-1], (httpx.TimeoutException, TimeoutError)):
        return TimedOut(f"{host} did not answer in time.", reason="timeout")
    return None


def _names(causes: tuple[BaseException, ...], host: str) -> PeerError | None:
    if any(isinstance(cause, (aiohttp.ClientConnectorDNSError, socket.gaierror, UnicodeError)) for cause in causes):
        return Unreachable(f"There is no host {host}.", reason="dns")
    return None


def _tls(causes: tuple[BaseException, ...], host: str) -> PeerError | None:
    if any(isinstance(cause, (ssl.SSLError, ssl.CertificateError, aiohttp.ClientSSLError)) for cause in causes):
        return Unreachable(f"{host} could not prove who it is, or broke off TLS.", reason="tls")
    return None


def _bounds(causes: tuple[BaseException, ...], host: str) -> PeerError | None:
    if any(isinstance(cause, LineTooLong) or "Too many" in str(cause) for cause in causes):
        return BrokenAnswer(f"{host} sent more headers than we read.", reason="oversized")
    return None


def _connection(causes: tuple[BaseException, ...], host: str) -> PeerError | None:
    numbers = {number for cause in causes if isinstance(cause, OSError) for number in _numbers(cause)}
    if numbers & _REFUSED:
        return Unreachable(f"{host} refused the connection.", reason="refused")
    if numbers & _UNROUTABLE:
        return Unreachable(f"There is no way to {host}.", reason="unroutable")
    if numbers & _RESET or any(isinstance(cause, ConnectionError) for cause in causes):
        return _reset(host)
    return None


def _transfer(causes: tuple[BaseException, ...], host: str) -> PeerError | None:
    broken = (aiohttp.ServerDisconnectedError, httpx.NetworkError)
    if any(isinstance(cause, broken) for cause in causes) or "disconnected" in str(causes[0]):
        return _reset(host)
    return None


def _reset(host: str) -> BrokenAnswer:
    return BrokenAnswer(f"{host} broke the connection off.", reason="reset")


def _numbers(error: OSError) -> Iterator[int]:
    """Give an error's number, or, of a connection tried at several addresses, the numbers of all."""
    if error.errno is not None:
        yield error.errno
    inner: object = getattr(error, "os_error", None)
    if isinstance(inner, OSError):
        yield from _numbers(inner)
    # asyncio joins the errors of several addresses into one sentence without a number.
    for number in _REFUSED | _UNROUTABLE:
        if f"[Errno {number}]" in str(error):
            yield number
