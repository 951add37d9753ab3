"""The whole exception tree of Patchbell.

PatchbellError                       everything we raise on purpose; str() is one sentence a person can act on
├── BadInput                         a person gave something that cannot be used; nothing was stored
│   ├── MalformedProcessId
│   ├── MalformedKey
│   ├── MalformedAddress
│   ├── MalformedHandler
│   ├── NothingToRegister
│   └── TooManyRegistrations
├── Busy                             too much of that is under way; asking again later helps
├── NotYours                         the person does not follow that process, or the button is somebody else's
├── ConfigurationError               the program cannot start as configured (exit 78)
├── AlreadyRunning                   another copy holds the lock beside the database
├── DatabaseUnavailable              the database can't be opened or read, or let go of our lock (exit 69)
├── DiscordUnavailable               Discord could not be reached, or ended the connection for good (exit 69)
├── PeerError                        a node, gateway or unit gave no usable answer; `reason` is a stable word
│   ├── Unreachable                  refused | dns | unroutable | tls
│   ├── TimedOut                     the exchange's one deadline passed
│   ├── BrokenAnswer                 reset | protocol | oversized | compressed | redirect
│   ├── RateLimited                  429, or our own budget for this peer is spent; carries retry_after seconds
│   └── ForbiddenAddress             private or link-local address that the operator did not configure
├── TicketError
│   └── TicketEnded                  expired, altered, cut, unknown or ended: the page says "type /status"
└── SendError                        Discord did not take a message; raised by every Sender
    ├── RecipientUnreachable         closed DMs or no mutual guild (50007, 50278): never retried by itself
    ├── NewConversationsBlocked      40003, 20026: no new DM may be opened for a while
    ├── MessageRefused               Discord will never take this message (400, 404): retrying cannot help
    └── SendLater                    transient; carries retry_after seconds
"""

from __future__ import annotations


class PatchbellError(Exception):
    """Everything Patchbell raises on purpose; `str()` is one sentence that a person can act on.

    `template` is that sentence with the names of `values` in braces: what is shown in another language is made of the
    two (`cogs/errors.py`), so a sentence for people on Discord is a plain string here, never an f-string.
    """

    def __init__(self, template: str, /, **values: object) -> None:
        super().__init__(template.format(**values) if values else template)
        self.template = template
        self.values = values


class BadInput(PatchbellError):
    """A person gave something that cannot be used; nothing was stored."""


class MalformedProcessId(BadInput):
    """Not 43 base64url characters that stand for 32 bytes (ao-facts.md, section 1)."""


class MalformedKey(BadInput):
    """Not one to four lower-cased, unreserved segments joined by `/`."""


class MalformedAddress(BadInput):
    """Not a wallet address (43 base64url characters)."""


class MalformedHandler(BadInput):
    """The keys, globals and action given make no process-side handler."""


class NothingToRegister(BadInput):
    """The text held no process id at all."""


class TooManyRegistrations(BadInput):
    """The person would pass `registrations.max_per_person`; nothing was stored."""


class Busy(PatchbellError):
    """Too much of that is under way; asking again later helps."""


class NotYours(PatchbellError):
    """The person does not follow that process, or the button belongs to somebody else."""


class ConfigurationError(PatchbellError):
    """The program cannot start as configured."""


class AlreadyRunning(PatchbellError):
    """Another copy of Patchbell holds the lock beside the database."""


class DatabaseUnavailable(PatchbellError):
    """The database can't be opened or read, or it let go of the lock that keeps a second copy out."""


class DiscordUnavailable(PatchbellError):
    """Discord could not be reached, or ended the connection for good."""


class PeerError(PatchbellError):
    """A node, gateway or unit gave no usable answer.

    `reason` is one stable word for logs, metrics and evidence (`refused`, `dns`, `timeout`, `oversized`, …).
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Unreachable(PeerError):
    """No connection: refused, name not found, no route, or TLS failed."""


class TimedOut(PeerError):
    """The exchange's one deadline passed."""


class BrokenAnswer(PeerError):
    """The connection broke, or the answer breaks a bound we set on purpose."""


class RateLimited(PeerError):
    """The peer answered 429, or (`own-budget`) we allow ourselves no more. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float, reason: str = "rate-limited") -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class ForbiddenAddress(PeerError):
    """A private or link-local address that the operator did not configure."""


class TicketError(PatchbellError):
    """Something about a deep link's ticket."""


class TicketEnded(TicketError):
    """Expired, altered, cut, unknown or ended."""


class SendError(PatchbellError):
    """Discord did not take a message. `code` is Discord's JSON error code, where there is one."""

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class RecipientUnreachable(SendError):
    """Closed DMs or no mutual guild (50007, 50278); only an act of the person can change it."""


class NewConversationsBlocked(SendError):
    """Discord lets us open no new DM for now (40003, 20026); conversations that are open go on."""


class MessageRefused(SendError):
    """Discord will never take this message; retrying cannot help."""


class SendLater(SendError):
    """Transient; try again after `retry_after` seconds.

    `everywhere` says that no message at all may go before then: a global limit, Cloudflare, or a refused token.
    """

    def __init__(self, message: str, *, retry_after: float, code: int | None = None, everywhere: bool = False) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
        self.everywhere = everywhere
