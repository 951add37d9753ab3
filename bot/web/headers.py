"""The headers that keep the signing page to itself."""

from __future__ import annotations

import re

from bot.errors import ConfigurationError
from bot.settings import Settings

_SOURCE = re.compile(
    r"""(?P<origin>https?://
        (\*\.)?                                          # any host below this one
        (\[[0-9a-f:]+\] | [a-z0-9-]+(\.[a-z0-9-]+)*)
        (:[0-9]+)?)
        (/[^\s;,]*)?                                      # a path counts for requests, not for the policy""",
    re.VERBOSE | re.IGNORECASE,
)
_HSTS = "max-age=31536000"
_PERMISSIONS = ", ".join(
    f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb", "serial", "hid")
)


def security_headers(settings: Settings) -> dict[str, str]:
    """Give the headers that every answer carries. Raises ConfigurationError where an AO host is no address."""
    headers = {
        "Content-Security-Policy": content_security_policy(settings),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": _PERMISSIONS,
    }
    if (settings.web.public_url or "").startswith("https://"):
        headers["Strict-Transport-Security"] = _HSTS
    return headers


def content_security_policy(settings: Settings) -> str:
    """Let only our own files run, and only the configured AO hosts be spoken to.

    The old network redirects to numbered hosts, and Chromium blocks a redirect outside `connect-src` (ao-facts.md,
    section 4): hence `ao.allowed_hosts`.
    """
    ao = settings.ao
    hosts = dict.fromkeys(_source(host) for host in (ao.mu_url, ao.cu_url, *ao.allowed_hosts))
    directives = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src " + " ".join(("'self'", *hosts)),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return "; ".join(directives)


def _source(url: str) -> str:
    """Reduce a URL to the origin that a policy names; a bare host is taken as https."""
    match = _SOURCE.fullmatch(url if "://" in url else f"https://{url}")
    if match is None:
        raise ConfigurationError(f"{url!r} is no address like https://host (ao.mu_url, ao.cu_url, ao.allowed_hosts).")
    return match["origin"].lower()
