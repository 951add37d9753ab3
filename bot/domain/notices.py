"""Every message the bot may owe somebody, as data. The outbox stores them as JSON; `cogs/messages` renders them.

A `ticket` is the raw value of a deep link. It lives here only until the message is sent: the outbox then blanks it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProcessLine(_Data):
    """One process as a message names it: by the person's own label, else by `name`, which is a stranger's text."""

    process: str
    label: str | None = None
    name: str | None = None
    since: datetime | None = None


class FirstDm(_Data):
    """Sent at registering, `added_at`: proves that DMs arrive. `more` counts processes beyond those named."""

    kind: Literal["first_dm"] = "first_dm"
    safe_word: str
    processes: tuple[ProcessLine, ...]
    more: int = 0
    community: str | None = None
    added_at: datetime | None = None
    ticket: str | None = None


class Reminder(_Data):
    """A digest of one person's open processes, `more` beyond those named. `number` counts their reminders from 1.

    The first `due` of them are those that `community` asks for by `deadline`; 0 in messages of older versions: all.
    `since` is how long the oldest of them has been open to them; `last` says that no other follows by itself.
    """

    kind: Literal["reminder"] = "reminder"
    safe_word: str
    processes: tuple[ProcessLine, ...]
    more: int = 0
    community: str | None = None
    deadline: datetime | None = None
    due: int = 0
    number: int = 1
    since: datetime | None = None
    last: bool = False
    ticket: str | None = None


class Patched(_Data):
    """Told once when a process turns patched. `open_processes` counts the person's others that are not.

    `others` turned patched within the same ten minutes, `more` beyond those named.
    """

    kind: Literal["patched"] = "patched"
    safe_word: str
    process: ProcessLine
    shown: tuple[str, ...]
    nodes: int
    node_url: str | None = None
    open_processes: int = 0
    others: tuple[ProcessLine, ...] = ()
    more: int = 0


class Regressed(_Data):
    """A patched process stopped showing its keys, and `others` with it: reminders begin again."""

    kind: Literal["regressed"] = "regressed"
    safe_word: str
    process: ProcessLine
    others: tuple[ProcessLine, ...] = ()
    more: int = 0
    ticket: str | None = None


class Unreadable(_Data):
    """No node could read the process for `checks.unreadable_after` although nodes are healthy; told once."""

    kind: Literal["unreadable"] = "unreadable"
    safe_word: str
    process: ProcessLine
    reason: str


class Announcement(_Data):
    """A migration, posted into a channel with a *Register my process* button, in the server's language."""

    kind: Literal["announcement"] = "announcement"
    migration_id: int
    locale: str = "en"
    title: str
    deadline: datetime | None = None
    keys: tuple[str, ...] = ()


class Mention(_Data):
    """Instead of a reminder, in a server's channel, to one who agreed to it: names neither process nor safe word."""

    kind: Literal["mention"] = "mention"
    user_id: int
    guild_id: int


class Alarm(_Data):
    """One sentence for the operators. `guild_id` is the server whose reminders they may resume."""

    kind: Literal["alarm"] = "alarm"
    sentence: str
    guild_id: int | None = None


Notice = Annotated[
    FirstDm | Reminder | Patched | Regressed | Unreadable | Announcement | Mention | Alarm, Field(discriminator="kind")
]


class Envelope(_Data):
    """A message owed: to a user's DM (`user_id`, with `channel_id` once it is known) or, without one, to a channel.

    `delivery_id` is what the message's buttons carry; `nonce` (≤25 characters) is stored before the first attempt.
    `tried_since` is when the first attempt began of which nobody knows whether it arrived.
    """

    delivery_id: int
    nonce: str
    notice: Notice
    user_id: int | None = None
    channel_id: int | None = None
    locale: str = "en"  # the person's, as Discord writes it
    tried_since: datetime | None = None


class Sent(_Data):
    """Where a message ended up."""

    channel_id: int
    message_id: int


class Members(Protocol):
    """Knows who is in a server. Implemented in `cogs/delivery.py`."""

    async def is_member(self, guild_id: int, user_id: int) -> bool | None:
        """Tell whether a person is in a server that the bot is in; None where Discord does not say."""
        ...


class Sender(Protocol):
    """Renders and sends one message. Implemented in `cogs/delivery.py`, so that services never import discord."""

    @property
    def ready(self) -> bool:
        """Whether it could send now; before that nothing is taken out of the outbox."""
        ...

    async def send(self, envelope: Envelope) -> Sent:
        """Send it. Raises a SendError (`bot/errors.py`)."""
        ...

    async def already_sent(self, envelope: Envelope) -> Sent | None:
        """Look among the conversation's messages since `tried_since` for this one of ours.

        Asked before a resend where Discord no longer remembers the nonce (about a minute after the first attempt).
        Raises a SendError where that cannot be told.
        """
        ...

    async def edit(self, sent: Sent, envelope: Envelope) -> None:
        """Have a message of ours show the notice as it is now. Raises a SendError."""
        ...

    async def delete(self, sent: Sent) -> None:
        """Delete a message of ours; one that is gone already is fine. Raises a SendError."""
        ...
