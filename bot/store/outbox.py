"""The outbox: every message owed to anybody, written in the transaction that causes it and sent once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.notices import Announcement, FirstDm, Mention, Notice
from bot.store.columns import build
from bot.store.tables import outbox, people

REMINDS = ("reminder", "mention")
"""The kinds of which one comes instead of another: a mention is a reminder for those whose DMs are closed."""


class State(StrEnum):
    """Where a message is. Only `owed` ones are ever sent; `replaced` and `deleted` ones were sent.

    A reminder is `replaced` in the transaction that records a newer one as sent (see `bot.store.arrived`).
    """

    OWED = "owed"
    SENT = "sent"
    REPLACED = "replaced"
    DELETED = "deleted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Priority(IntEnum):
    """What goes first: somebody looks at the screen and waits, or nobody does."""

    WAITED_FOR = 0
    NEWS = 1
    REMINDER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row of `outbox`, with what is known of the conversation it goes to.

    It goes to `user_id`'s DM or into `channel_id`; `recipient_id` is whom it is for, also by a mention there.
    `dm_channel_id`, `unreachable_code` and `locale` are the person's. The nonce (24 random characters) is stored with
    the message, before any attempt: made of an id it would come again with a new database, while Discord still knows
    it.
    """

    id: int
    kind: str
    notice: Notice
    nonce: str
    user_id: int | None
    channel_id: int | None
    recipient_id: int | None
    priority: int
    state: str
    created_at: datetime
    next_try_at: datetime
    attempts: int
    edition: int
    shown_edition: int
    uncertain_since: datetime | None
    lease_until: datetime | None
    lease_token: str | None
    done_at: datetime | None
    sent_channel_id: int | None
    sent_message_id: int | None
    code: int | None
    reason: str | None
    dm_channel_id: int | None
    unreachable_code: int | None
    locale: str | None

    @property
    def opens_a_conversation(self) -> bool:
        """Whether sending it opens a DM that is not open yet."""
        return self.user_id is not None and self.dm_channel_id is None

    @property
    def was_sent(self) -> bool:
        """Whether it arrived, whatever became of it later."""
        return self.state in (State.SENT, State.REPLACED, State.DELETED)


async def owe(
    connection: AsyncConnection,
    notice: Notice,
    *,
    now: datetime,
    user_id: int | None = None,
    channel_id: int | None = None,
    not_before: datetime | None = None,
) -> int:
    """Owe a message to a person or, without one, to a channel. Gives its delivery id."""
    row = _owed(notice, user_id, channel_id, now, not_before)
    return (await connection.execute(insert(outbox).values(**row).returning(outbox.c.id))).scalar_one()


async def owe_each(connection: AsyncConnection, notices: Mapping[int, Notice], now: datetime) -> None:
    """Owe each of these people a message of their own."""
    if notices:
        await connection.execute(insert(outbox), [_owed(each, user_id, None, now) for user_id, each in notices.items()])


def _owed(
    notice: Notice, user_id: int | None, channel_id: int | None, now: datetime, not_before: datetime | None = None
) -> dict[str, Any]:
    return {
        "kind": notice.kind,
        "notice": notice,
        "nonce": secrets.token_hex(12),
        "user_id": user_id,
        "channel_id": channel_id,
        "recipient_id": notice.user_id if isinstance(notice, Mention) else user_id,
        "priority": _priority(notice),
        "state": State.OWED.value,
        "created_at": now,
        "next_try_at": not_before or now,
    }


def _priority(notice: Notice) -> int:
    if isinstance(notice, FirstDm | Announcement):
        return Priority.WAITED_FOR
    return Priority.REMINDER if notice.kind == "reminder" else Priority.NEWS


_WITH_PERSON = [
    *outbox.c,
    people.c.dm_channel_id.label("dm_channel_id"),
    people.c.unreachable_code.label("unreachable_code"),
    people.c.locale.label("locale"),
]
_JOINED = outbox.outerjoin(people, people.c.user_id == outbox.c.user_id)


async def find(connection: AsyncConnection, delivery_id: int) -> Message | None:
    """Give a message by its delivery id, whatever became of it."""
    query = select(*_WITH_PERSON).select_from(_JOINED).where(outbox.c.id == delivery_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else build(Message, row)


async def of_person(
    connection: AsyncConnection, user_id: int, limit: int = 25, *, without: Sequence[str] = ()
) -> list[Message]:
    """Give a person's newest messages, mentions of them among these, newest first; `without` those of these kinds."""
    theirs = (outbox.c.recipient_id == user_id, outbox.c.kind.not_in(without))
    query = select(*_WITH_PERSON).select_from(_JOINED).where(*theirs)
    rows = (await connection.execute(query.order_by(outbox.c.id.desc()).limit(limit))).mappings()
    return [build(Message, row) for row in rows]


async def sent_as(connection: AsyncConnection, user_id: int, channel_id: int, message_id: int) -> datetime | None:
    """Give when this message on Discord was sent by us to this person, or None where it was not."""
    query = select(outbox.c.done_at).where(
        outbox.c.recipient_id == user_id, outbox.c.sent_channel_id == channel_id, outbox.c.sent_message_id == message_id
    )
    return await connection.scalar(query)


async def withdraw(connection: AsyncConnection, user_id: int, kinds: Sequence[str], *, now: datetime) -> None:
    """Take back messages of these kinds that Discord cannot have: they are no longer wanted."""
    taken = await connection.execute(
        update(outbox)
        .where(
            outbox.c.recipient_id == user_id,
            outbox.c.state == State.OWED,
            outbox.c.kind.in_(kinds),
            outbox.c.uncertain_since.is_(None),
            outbox.c.lease_token.is_(None),
        )
        .values(state=State.WITHDRAWN.value, done_at=now)
        .returning(outbox.c.id, outbox.c.notice)
    )
    for delivery_id, notice in taken.all():
        if blanked := ticketless(notice):
            await connection.execute(update(outbox).where(outbox.c.id == delivery_id).values(**blanked))


def ticketless(notice: Notice) -> dict[str, Notice]:
    """Give the column to write: the raw ticket is from now on only in the link, or nowhere. Other notices may grow."""
    if getattr(notice, "ticket", None) is None:
        return {}
    return {"notice": notice.model_copy(update={"ticket": None})}


async def opening_before(connection: AsyncConnection, message: Message) -> int:
    """Count the owed messages that need a new conversation and go before this one."""
    goes_before = or_(
        outbox.c.priority < message.priority,
        and_(
            outbox.c.priority == message.priority,
            or_(
                outbox.c.next_try_at < message.next_try_at,
                and_(outbox.c.next_try_at == message.next_try_at, outbox.c.id < message.id),
            ),
        ),
    )
    query = (
        select(func.count())
        .select_from(_JOINED)
        .where(
            outbox.c.state == State.OWED, goes_before, outbox.c.user_id.is_not(None), people.c.dm_channel_id.is_(None)
        )
    )
    return await connection.scalar(query) or 0


async def waiting_reminder(connection: AsyncConnection, user_ids: Sequence[int]) -> set[int]:
    """Give those of these people to whom a reminder, or what counts as one, is still on its way."""
    query = select(outbox.c.recipient_id).where(
        outbox.c.recipient_id.in_(user_ids),
        outbox.c.kind.in_((*REMINDS, "regressed")),
        outbox.c.state == State.OWED,
    )
    return set((await connection.scalars(query)).all())


async def next_due(connection: AsyncConnection) -> datetime | None:
    """Give when the next owed message is due, or None where none is owed."""
    return await connection.scalar(select(func.min(outbox.c.next_try_at)).where(outbox.c.state == State.OWED))


async def waiting(connection: AsyncConnection) -> int:
    """Count the messages that are owed."""
    return await connection.scalar(select(func.count()).select_from(outbox).where(outbox.c.state == State.OWED)) or 0
