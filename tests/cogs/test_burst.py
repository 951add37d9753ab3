"""A thousand people register at once, through the real client: everybody is answered, and nothing lost or doubled.

How long each of them waits is measured, not tested, by `python -m benchmarks.burst`. Here the sandbox's clock stands
still, so that Discord's three seconds never pass on a machine that has other things to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.ao.line import AT_ONCE
from bot.services import delivering
from bot.settings import AoSettings, CheckSettings, NodeSettings, ReminderSettings
from bot.store.tables import outbox
from sandbox.discord.people import Person
from sandbox.discord.seen import SeenMessage
from sandbox.discord.server import DiscordServer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("burst")]

CROWD = 1_000
CLOSED = range(100, CROWD, 30)  # late ones: before them at least a minute's first DMs go out
OPENED_AT_ONCE = 60
PATIENCE = 600.0
ANSWERING = ("CommandTree-invoker", "discord-ui-")
"""How discord.py names the tasks of commands, and of buttons and modals."""
BUDGETS = CheckSettings(requests_per_minute=10_000_000, now_per_hour=10_000_000)
AS_PACED = ReminderSettings(new_dms_per_minute=OPENED_AT_ONCE, messages_per_second=40, quiet_from=0, quiet_until=0)
LATER = AS_PACED.model_copy(update={"new_dms_per_minute": 60_000.0, "messages_per_second": 500.0})
"""As if a quarter of an hour were over: the line of first DMs goes out at once. No operator can set that."""


@pytest.fixture
async def discord_server() -> AsyncIterator[DiscordServer]:
    now = datetime.now(UTC)
    server = DiscordServer(lambda: now)
    await server.start()
    yield server
    await server.stop()
    assert not server.unknown_requests


async def announce(stage: Any) -> SeenMessage:
    mo = stage.moderator()
    reply = await mo.slash(stage.channel.id, "announce")
    draft = await mo.submit(reply.modal, {"title": "Move", "date": "", "preset": ["token"]})
    await (await mo.press(await draft.wait_final(), "Post")).wait_final()
    return await stage.ada.wait_message(stage.channel.id)


async def register(stage: Any, person: Person, process: str, announcement: SeenMessage | None) -> SeenMessage:
    """Give the answer; it is edited once more is known of the first DM."""
    if announcement is None:
        reply = await person.slash(stage.channel.id, "register", {"process": process})
    else:
        modal = (await person.press(announcement, "Register my process")).modal
        reply = await person.submit(modal, {"processes": process, "label": ""})
    return await reply.wait_until(lambda message: "safe word is" in message.text, PATIENCE)


async def all_answered() -> None:
    """Wait until discord.py's tasks of commands and buttons are done: nothing more is said in any answer."""
    async with asyncio.timeout(PATIENCE):
        while any(task.get_name().startswith(ANSWERING) for task in asyncio.all_tasks()):  # noqa: ASYNC110 -- theirs
            await asyncio.sleep(0.05)


async def owed(stage: Any, kind: str = "first_dm") -> dict[str, int]:
    """Count the first DMs by what became of them."""
    async with stage.application.database.read() as connection:
        query = select(outbox.c.state, func.count()).where(outbox.c.kind == kind).group_by(outbox.c.state)
        rows = (await connection.execute(query)).all()
    return {state: count for state, count in rows}  # noqa: C416 -- rows are no pairs to a type checker


def promised(answer: SeenMessage) -> datetime | None:
    """Give when the first DM comes, as the answer says."""
    found = re.search(r"first DM comes <t:(\d+):R>", answer.text)
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None


async def test_a_thousand_register_at_once(off_stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = off_stage
    node = stage.network.nodes[0]  # one: this is about people, not about whom nodes agree with
    nodes = (NodeSettings(url=node.url, operator=node.operator),)
    ao = AoSettings(nodes=nodes, gateways=(stage.network.gateway_url,))
    stage.changes |= {"ao": ao, "checks": BUDGETS, "reminders": AS_PACED}
    await stage.start()
    announcement = await announce(stage)
    world = stage.discord.world
    people = [stage.person(f"owner{number}") for number in range(CROWD)]
    processes = [stage.network.spawn(stage.wallet) for _ in people]
    for number in CLOSED:
        people[number].close_dms()
    opened_before = len(world.dms_of(world.me.id))
    began = datetime.now(UTC)

    async def one(number: int) -> SeenMessage:
        by_button = announcement if number in CLOSED else None
        return await register(stage, people[number], processes[number], by_button)

    async with asyncio.TaskGroup() as group:
        registering = [group.create_task(one(number)) for number in range(CROWD)]
        for _ in range(3):  # whoever asks something else meanwhile is answered, too
            status = await stage.ada.slash(stage.channel.id, "status")
            await status.wait_final(PATIENCE)
    answers = [task.result() for task in registering]
    await all_answered()
    took = (datetime.now(UTC) - began).total_seconds()

    assert [answer.text for answer in answers if "ot patched yet" not in answer.text] == []
    opened = len(world.dms_of(world.me.id)) - opened_before
    assert OPENED_AT_ONCE <= opened <= OPENED_AT_ONCE + took + 1, "at the pace: one a second after a minute's"
    waiting = [at.timestamp() for answer in answers if (at := promised(answer)) is not None]
    assert len(waiting) > CROWD / 2
    everybody = began.timestamp() + CROWD  # at one a second; a minute's go out at once
    assert everybody - 2 * OPENED_AT_ONCE <= max(waiting) <= everybody + took
    assert sum((await owed(stage)).values()) == CROWD

    await stage.stop()
    monkeypatch.setattr(delivering, "MOST_A_SECOND", 1_000)
    stage.discord.rate_limits.enabled = False
    stage.changes["reminders"] = LATER
    await stage.start()
    async with asyncio.timeout(PATIENCE):
        while "owed" in await owed(stage):  # noqa: ASYNC110 -- the bot's loops tell nobody
            await asyncio.sleep(0.2)
    assert await owed(stage) == {"sent": CROWD - len(CLOSED), "refused": len(CLOSED)}
    got = Counter(len(person.messages(person.dm_channel())) for person in people)
    assert got == {1: CROWD - len(CLOSED), 0: len(CLOSED)}

    late = [number for number in CLOSED if promised(answers[number]) is not None]
    assert late, [answers[number].text for number in CLOSED]
    status = await people[late[-1]].slash(stage.channel.id, "status")
    assert "First DM: refused" in (await status.wait_final(PATIENCE)).text
    assert "*Privacy Settings*" in (await status.wait_followup(timeout=PATIENCE)).text
    reached = await stage.application.places.reached(stage.guild.id)
    assert (reached.people, reached.closed) == (len(CLOSED), len(CLOSED))
    assert len(world.dms_of(world.me.id)) <= opened_before + CROWD


async def test_who_registers_in_a_crowd_reads_where_in_the_line_they_are(stage: Any) -> None:
    line = stage.application.registering._anew._reader.line
    async with contextlib.AsyncExitStack() as crowd:
        for _ in range(AT_ONCE):
            await crowd.enter_async_context(line.turn())
        reply = await stage.ada.slash(stage.channel.id, "register", {"process": stage.unpatched()})
        told = await reply.wait_until(lambda message: "you are number 1 in line" in message.text)
        assert re.search(r"Your turn comes <t:\d+:R>\.", told.text)
    await reply.wait_until(lambda message: "safe word is" in message.text)
