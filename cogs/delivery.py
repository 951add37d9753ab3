"""The Sender: renders a notice, sends it with its nonce, and says in our own errors what Discord made of it.

What may be met, and the rule for each (`tests/cogs/test_delivery_rules.py` holds the real client to all of them).
*Doubt*: nobody knows whether Discord has the message. It lasts until the message is seen in the conversation, or looked
for there in vain: within a minute by sending it again under its nonce, which Discord then drops; later by looking.

| met | rule | error |
|---|---|---|
| 500, 502, 504, 524 | the client asks five times by itself, within some 25 s; then as for 503 | `SendLater`, doubt |
| 503; connection reset, refused or cut; 60 s silence | after 2, 4, 8 … s, at most an hour | `SendLater`, doubt |
| 429 of a bucket or shared, up to 60 s | the client waits it out; others go on | none |
| 429 of a bucket or shared, longer | this message waits as long; others go on | `SendLater` |
| 429 of all (global), up to 60 s | the client holds all its requests | none |
| 429 of all, longer | nothing is sent before then; operators are told | `SendLater`, everywhere |
| 429 without `Via` | Cloudflare bans us: nothing for 10 min, doubled to an hour; told | `SendLater`, everywhere |
| 401 | the token was refused: nothing for 5 min, doubled to an hour; told | `SendLater`, everywhere |
| 40003 | none is opened for 10 min, doubled to 6 h; open ones go on; told | `NewConversationsBlocked` |
| 20026 | flagged as spam: the same for 12 h, doubled to 2 days | `NewConversationsBlocked` |
| 50007, 50278 | this person takes no DM: nothing more is tried until they act | `RecipientUnreachable` |
| any other 400, 403, 404 | refused for good; operators are told | `MessageRefused` |
| of those 10003, 50001, 50013, 50083, 160005, at a mention | and its place is chosen no more | `MessageRefused` |
| 1,000 times 401, 403, 429 in 10 min | nothing for 10 min, doubled to an hour; told: 10,000 are a ban | none |
| the gateway drops, with or without resume | messages go on by REST; what people press waits for it | none |
| killed | the lease ends at the next start; what had begun is in doubt | none |

What concerns one message alone ends after 60 attempts, some two days; what concerns all is never given up.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import aiohttp
import discord
import structlog

from bot.client import PatchbellClient
from bot.clock import Clock, utc_now
from bot.domain.notices import (
    Alarm,
    Announcement,
    Envelope,
    FirstDm,
    Mention,
    Notice,
    Patched,
    Regressed,
    Reminder,
    Sent,
    Unreadable,
)
from bot.domain.unreachable import CLOSED_DMS, NO_MUTUAL_SERVER
from bot.errors import MessageRefused, NewConversationsBlocked, RecipientUnreachable, SendError, SendLater
from cogs.messages import campaign, dms, reminder
from cogs.messages.language import speaking
from cogs.messages.page import Page

log = structlog.get_logger()

_UNREACHABLE = frozenset({CLOSED_DMS, NO_MUTUAL_SERVER})
_NO_NEW_CONVERSATIONS = frozenset({40003, 20026})
_CLOUDFLARE_PAUSE = 600.0  # seconds: a 429 without a Via header is a ban of the address, and asking on prolongs it
_TOKEN_PAUSE = 300.0
_NOT_CONNECTED_PAUSE = 1.0
_SOON = 2.0
_CLOCKS_DIFFER = timedelta(minutes=5)  # at most: ours, and Discord's, which is in its messages' ids
_OR_DIFFERED = timedelta(days=1)  # ours may have been set since; in a DM little is said in so long
_ATTEMPTS_END = timedelta(minutes=10)  # after the first: later ones look first
_LOOKED_THROUGH = 500  # messages: a channel where more is said within all that gets it twice
_IDS = (1 << 31) - 1


class DiscordSender:
    """Sends what the outbox holds. `sign_url` makes a deep link of a raw ticket, or None where none may be made."""

    def __init__(
        self, client: PatchbellClient, sign_url: Callable[[str | None], str | None], *, clock: Clock = utc_now
    ) -> None:
        self._client = client
        self._sign_url = sign_url
        self._clock = clock

    @property
    def ready(self) -> bool:
        """Whether the client is logged in."""
        return self._client.user is not None and not self._client.is_closed()

    async def send(self, envelope: Envelope) -> Sent:
        """Send it once: Discord drops a second one of the same nonce for a few minutes. Raises a SendError."""
        with self._in_our_words():
            channel = await self._channel(envelope)
            pinged = _pinged(envelope.notice)
            message = await channel.send(view=self._render(envelope), nonce=envelope.nonce, allowed_mentions=pinged)
        return Sent(channel_id=message.channel.id, message_id=message.id)

    async def already_sent(self, envelope: Envelope) -> Sent | None:
        """Look for it among what came after its first attempt. Raises a SendError where that cannot be told."""
        wanted = stamp(envelope.nonce)
        since = envelope.tried_since or self._clock()
        differ = _CLOCKS_DIFFER if envelope.user_id is None else _OR_DIFFERED
        with self._in_our_words():
            channel = await self._channel(envelope)
            async for message in channel.history(limit=_LOOKED_THROUGH, after=since - differ):
                if message.created_at > since + _ATTEMPTS_END + differ:
                    break
                if any(isinstance(each, discord.Container) and each.id == wanted for each in message.components):
                    return Sent(channel_id=message.channel.id, message_id=message.id)
        return None

    async def is_member(self, guild_id: int, user_id: int) -> bool | None:
        """Tell whether a person is in a server; None where it cannot be told, as where the bot is not in it itself."""
        guild = self._client.get_guild(guild_id)
        if guild is None or guild.unavailable:
            return None
        try:
            await guild.fetch_member(user_id)
        except discord.NotFound:
            return False
        except _DISCORDS:
            return None
        return True

    async def edit(self, sent: Sent, envelope: Envelope) -> None:
        """Show the notice as it is now; nobody is pinged by that. Raises a SendError, also where it is gone."""
        with self._in_our_words():
            await self._message(sent).edit(view=self._render(envelope), allowed_mentions=discord.AllowedMentions.none())

    async def delete(self, sent: Sent) -> None:
        """Delete it; gone already, it or its channel, is fine. Raises a SendError."""
        with self._in_our_words(), suppress(discord.NotFound):
            await self._message(sent).delete()

    def _message(self, sent: Sent) -> discord.PartialMessage:
        if self._client.user is None:
            raise SendLater("Not connected to Discord yet.", retry_after=_NOT_CONNECTED_PAUSE)
        return self._client.get_partial_messageable(sent.channel_id).get_partial_message(sent.message_id)

    @contextmanager
    def _in_our_words(self) -> Generator[None]:
        try:
            yield
        except discord.RateLimited as error:
            everywhere = self._client.globally_limited
            raise SendLater("Discord asks to wait.", retry_after=error.retry_after, everywhere=everywhere) from error
        except _DISCORDS as error:
            raise translate(error) from error
        except RuntimeError as error:  # "Session is closed": aiohttp's, of a send that a stop overtook
            if not self._client.is_closed():
                raise
            raise SendLater("Stopping.", retry_after=_SOON) from error

    async def _channel(self, envelope: Envelope) -> discord.abc.Messageable:
        """Give where it goes; a DM's channel is opened once, and from then on comes with the envelope."""
        if self._client.user is None:
            raise SendLater("Not connected to Discord yet.", retry_after=_NOT_CONNECTED_PAUSE)
        if envelope.channel_id is not None:
            kind = discord.ChannelType.private if envelope.user_id is not None else discord.ChannelType.text
            return self._client.get_partial_messageable(envelope.channel_id, type=kind)
        if envelope.user_id is None:
            raise MessageRefused("The message has neither a person nor a channel.")
        return await self._client.create_dm(discord.Object(envelope.user_id))

    def _render(self, envelope: Envelope) -> Page:
        with speaking(envelope.locale):
            return self._page(envelope)

    def _page(self, envelope: Envelope) -> Page:
        notice, delivery, mark = envelope.notice, envelope.delivery_id, stamp(envelope.nonce)
        match notice:
            case FirstDm():
                return dms.first_dm(notice, delivery, self._sign_url(notice.ticket), mark)
            case Reminder():
                return reminder.reminder(notice, delivery, self._sign_url(notice.ticket), self._clock(), mark)
            case Patched():
                return dms.patched(notice, mark)
            case Regressed():
                return dms.regressed(notice, delivery, self._sign_url(notice.ticket), mark)
            case Unreadable():
                return dms.unreadable(notice, delivery, mark)
            case Announcement():
                return campaign.announcement(notice, mark)
            case Mention():
                return reminder.mention(notice, delivery, mark)
            case Alarm():
                return dms.alarm(notice, mark)


def _pinged(notice: Notice) -> discord.AllowedMentions:
    """Let a mention ping the one who agreed to it, and everything else nobody."""
    if not isinstance(notice, Mention):
        return discord.AllowedMentions.none()
    return discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(notice.user_id)])


def stamp(nonce: str) -> int:
    """Give the component id of a message's container: by it a message is known again, long after its nonce.

    Discord keeps ids that are given (32 bits, unique within the message); it follows from the nonce, which no other
    message has, also not one of another database.
    """
    return int.from_bytes(hashlib.sha256(nonce.encode()).digest()[:4]) % (_IDS - 100) + 100


_DISCORDS = (discord.DiscordException, aiohttp.ClientError, OSError, asyncio.TimeoutError)


def translate(error: BaseException) -> SendError:
    """Give our error for one of discord.py's, by its code, not its class: compatible servers answer other statuses."""
    if not isinstance(error, discord.HTTPException):  # refused, reset, cut, timed out: nobody knows what Discord has
        return SendLater(f"Discord could not be reached ({type(error).__name__}).", retry_after=_SOON)
    if error.code in _UNREACHABLE:
        return RecipientUnreachable("This person takes no DM from me.", code=error.code)
    if error.code in _NO_NEW_CONVERSATIONS:
        return NewConversationsBlocked("Discord lets me open no new DM.", code=error.code)
    return _by_status(error)


def _by_status(error: discord.HTTPException) -> SendError:
    if error.status == 429:
        return _throttled(error)
    if error.status == 401:
        return SendLater("Discord refused the token.", retry_after=_TOKEN_PAUSE, code=error.code, everywhere=True)
    if error.status >= 500:
        return SendLater(f"Discord is in trouble ({error.status}).", retry_after=_SOON, code=error.code)
    log.error("message refused", status=error.status, code=error.code, text=error.text[:300])
    return MessageRefused(f"Discord refused it ({error.status}, code {error.code}).", code=error.code)


def _throttled(error: discord.HTTPException) -> SendLater:
    """Tell Cloudflare (no Via header: the whole address is banned) from a limit that outlasted discord.py's tries."""
    headers: Mapping[str, Any] = getattr(error.response, "headers", {})
    if headers.get("Via"):
        return SendLater("Discord asks to wait.", retry_after=_seconds(headers.get("Retry-After")), code=error.code)
    return SendLater("Cloudflare has banned this address for a while.", retry_after=_CLOUDFLARE_PAUSE, everywhere=True)


def _seconds(header: Any) -> float:
    try:
        return max(_SOON, float(header))
    except (TypeError, ValueError):
        return _SOON
