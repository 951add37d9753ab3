"""Links in a text, and which of them lead to our own page: told by the parsed origin alone, compared exactly.

What a browser would mend by itself (a backslash, a full-width letter, an encoded dot, a tab) is in no link of ours, so
whatever has it leads elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_LINK = re.compile(r"[a-z][a-z0-9+.-]*:[\\/]{1,3}(?:\[[0-9a-f:.]*\])?[^\s<>\"`()\[\]]*", re.IGNORECASE)
_END = ".,;:!?*_~|'»”’…"
_RUN = re.compile(r"\S+")
_PLAIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?#][!-\[\]-~]*)?",
    re.IGNORECASE,
)
_MESSAGE = re.compile(
    r"https://(?:(?:ptb|canary)\.)?discord\.com/channels/(?:@me|[0-9]+)/([0-9]{1,20})/([0-9]{1,20})/?"
)
_PORTS = {"http": 80, "https": 443}
_MOST = 20
_DISCORD_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)

Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLink:
    """A link to a message on Discord."""

    channel_id: int
    message_id: int

    @property
    def written_at(self) -> datetime:
        """When the message was written: its id says it (Discord's docs, "Snowflakes")."""
        return _DISCORD_EPOCH + timedelta(milliseconds=self.message_id >> 22)


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedLinks:
    """The links of a text: `ours` whole, `messages` of Discord, and `others` as they were written."""

    ours: tuple[str, ...]
    messages: tuple[MessageLink, ...]
    others: tuple[str, ...]

    @property
    def fragments(self) -> tuple[str, ...]:
        """What stands after the `#` of our links: tickets, where they lead to the signing page."""
        return tuple(link.partition("#")[2] for link in self.ours)


def origin_of(link: str) -> Origin | None:
    """Give scheme, host and port of a plain link as browsers parse it, or None where there is anything unusual."""
    match = _PLAIN.fullmatch(link)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else _PORTS[scheme]
    return scheme, match["host"].lower(), port


def sort_links(text: str, public_url: str | None) -> SortedLinks:
    """Find the links of a text, at most 20, and sort them. Without `public_url` no link is ours."""
    home = origin_of(public_url) if public_url is not None else None
    found = list(dict.fromkeys(_whole(match) for match in _LINK.finditer(text)))[:_MOST]
    ours = [link for link in found if home is not None and origin_of(link) == home]
    messages = {link: match for link in found if link not in ours and (match := _MESSAGE.fullmatch(link))}
    return SortedLinks(
        ours=tuple(ours),
        messages=tuple(MessageLink(channel_id=int(each[1]), message_id=int(each[2])) for each in messages.values()),
        others=tuple(link for link in found if link not in ours and link not in messages),
    )


def is_bare_address(text: str) -> bool:
    """Tell whether a text is a link without its `https://`: one word with a dot or a slash in it."""
    word = text.strip()
    return len(word.split()) == 1 and "://" not in word and ("." in word or "/" in word)


def hosts(links: Sequence[str]) -> list[str]:
    """Give where links lead, as a person should read it: what stands between the slashes, after any `@`."""
    return [re.split(r"[\\/?#]", re.sub(r"^[^:]*:[\\/]*", "", link))[0].rpartition("@")[2] or link for link in links]


def _whole(match: re.Match[str]) -> str:
    """Give the link without what ends a sentence. Brackets and quotes end a link, as in markdown and in prose.

    Not so before an `@`, where browsers take them for a part of the name: `https://ours"@theirs` leads to theirs.
    """
    link = match[0]
    run = _RUN.match(match.string, match.start())
    if run is not None and "@" in run[0][len(link) :] and not re.search(r"[^:\\/][\\/?#]", link):
        return run[0]
    return link.rstrip(_END)
