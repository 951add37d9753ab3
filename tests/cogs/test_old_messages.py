"""The row and the list under a DM work however old it is: from before an upgrade, replaced, or of somebody erased."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.process_id import shorten
from bot.store import outbox
from bot.store.database import open_database
from sandbox.discord.seen import SeenMessage
from tests.cogs.test_buttons import choose, register, remind

pytestmark = pytest.mark.slow

OLDER_SCHEMA = "0003"  # without zones, hours and reasons, servers, and looks of one's own


async def press(stage: Any, message: SeenMessage, custom_id: str, person: Any = None) -> str:
    """Press *Next week* as if it were this button."""
    button = next(each for each in message.buttons if each.label == "Next week")
    button.raw["custom_id"] = custom_id
    reply = await (person or stage.ada).press(message, "Next week")
    button.raw["custom_id"] = "snooze:0:week"
    return (await reply.wait_final()).text


def delivery_of(message: SeenMessage) -> int:
    return int(message.selects[0].custom_id.partition(":")[2])


async def state_of(stage: Any, delivery: int) -> str | None:
    async with stage.application.database.read() as connection:
        message = await outbox.find(connection, delivery)
    return message and message.state


async def works(stage: Any, message: SeenMessage, delivery: int, process: str) -> None:
    """Hold everything that ever stood under a DM to its answer."""
    for custom_id, said in (
        (f"check:{delivery}", shorten(process)),
        (f"snooze:{delivery}:tonight", "No reminders until"),
        (f"snooze:{delivery}:day", "No reminders until"),
        (f"snooze:{delivery}:week", "No reminders until"),
        (f"cannot:{delivery}", "What is in the way?"),
        (f"stop:{delivery}", "No more reminders"),
    ):
        assert said in await press(stage, message, custom_id)
    (select,) = message.selects
    select.raw["custom_id"] = f"more:{delivery}"
    which = await choose(stage, message, "date")
    day = which.selects[0].options[2][1]
    chosen = await (await stage.ada.choose(which, which.selects[0].custom_id, [day])).wait_final()
    assert "No reminders until" in chosen.text
    why = await choose(stage, message, "cannot")
    blocked = await (await stage.ada.choose(why, why.selects[0].custom_id, ["lost-wallet"])).wait_final()
    assert f"**No more reminders** of `Vault` · `{shorten(process)}`" in blocked.text
    assert "No more reminders" in (await choose(stage, message, "stop")).text
    assert (await stage.application.registering.person(stage.ada.id)).stopped_at is not None


async def fill(stage: Any, process: str) -> None:
    """Make a database as an older version left it: one person, one open process, one reminder that was sent."""
    stage.database.unlink()
    old = await open_database(f"sqlite+aiosqlite:///{stage.database}", revision=OLDER_SCHEMA)
    line = f'{{"process":"{process}","label":null,"name":"Vault","since":"2026-01-01T00:00:00Z"}}'
    notice = (
        f'{{"kind":"reminder","safe_word":"amber otter","processes":[{line}],"more":0,"community":null,'
        '"deadline":null,"number":3,"ticket":null}'
    )
    status = '{"verdict":"not_patched","since":"2026-01-01T00:00:00Z","confirmed_by":["amber","birch"]}'
    at = (stage.clock() - timedelta(days=60)).replace(tzinfo=None).isoformat(" ", "microseconds")
    values = {"ada": stage.ada.id, "at": at, "process": process, "notice": notice, "status": status}
    async with old.write() as connection:
        for statement in (
            "INSERT INTO people (user_id, safe_word, locale, created_at) VALUES (:ada, 'amber otter', 'en', :at)",
            "INSERT INTO processes (process, created_at, next_look_at) VALUES (:process, :at, '2030-01-01 00:00:00')",
            "INSERT INTO targets (id, process, required, status, verdict)"
            " VALUES (1, :process, '[]', :status, 'not_patched')",
            "INSERT INTO registrations (user_id, process, target_id, role, created_at)"
            " VALUES (:ada, :process, 1, 'mine', :at)",
            "INSERT INTO outbox (id, kind, notice, nonce, user_id, priority, state, created_at, next_try_at, done_at)"
            " VALUES (77, 'reminder', :notice, 'once', :ada, 2, 'sent', :at, :at, :at)",
        ):
            await connection.execute(text(statement), values)
    await old.close()


async def test_of_an_older_schema(off_stage: Any) -> None:
    process = off_stage.unpatched()
    await fill(off_stage, process)
    await off_stage.start()
    await register(off_stage, off_stage.unpatched("Harbour"))
    message = await off_stage.ada.wait_dm()
    await works(off_stage, message, 77, process)
    bo = off_stage.person("bo")
    reply = await bo.slash(off_stage.channel.id, "register", {"process": off_stage.unpatched()})
    await reply.wait_until(lambda each: "first DM: please" in each.text)
    theirs = await bo.wait_dm()
    for custom_id in ("snooze:77:tonight", "cannot:77", "stop:77"):
        assert "somebody else's" in await press(off_stage, theirs, custom_id, bo)


async def test_of_a_reminder_that_a_newer_one_replaced_and_that_is_deleted(stage: Any) -> None:
    process = stage.unpatched()
    await register(stage, process)
    first = await remind(stage, process)
    which = await choose(stage, first, "date")
    why = await choose(stage, first, "cannot")
    await remind(stage, process)
    second = await stage.ada.wait_dm(lambda each: "waiting for you" in each.text and each.id != first.id)
    async with asyncio.timeout(30):
        while await state_of(stage, delivery_of(first)) != "deleted":
            stage.application.tidying.wake()
            await asyncio.sleep(0.02)
    await works(stage, second, delivery_of(first), process)
    day = which.selects[0].options[3][1]
    chosen = await (await stage.ada.choose(which, which.selects[0].custom_id, [day])).wait_final()
    assert "No reminders until" in chosen.text
    blocked = await (await stage.ada.choose(why, why.selects[0].custom_id, ["lost-wallet"])).wait_final()
    assert "went wrong" not in blocked.text


@pytest.mark.parametrize("again", [True, False], ids=["registered-again", "not-again"])
async def test_of_somebody_who_was_erased_meanwhile(stage: Any, again: bool) -> None:
    process = stage.unpatched()
    await register(stage, process)
    message = await stage.ada.wait_dm()
    delivery = delivery_of(message)
    await stage.application.privacy.erase(stage.ada.id)
    if again:
        await register(stage, process)
        await works(stage, message, delivery, process)
        return
    for custom_id in (f"check:{delivery}", f"snooze:{delivery}:tonight", f"cannot:{delivery}", f"stop:{delivery}"):
        said = await press(stage, message, custom_id)
        assert "went wrong" not in said
        assert "somebody else" not in said


async def test_in_a_server_nobody_has_what_is_no_longer_known(stage: Any) -> None:
    """A mention's buttons can be pressed by everybody in the channel; this one's person was erased."""
    card = await register(stage, stage.unpatched())
    button = next(each for each in card.buttons if each.label == "Check now")
    for custom_id in ("snooze:9999:tonight", "stop:9999"):
        button.raw["custom_id"] = custom_id
        said = (await (await stage.ada.press(card, "Check now")).wait_final()).text
        assert "I keep nothing of that message" in said
    assert (await stage.application.registering.person(stage.ada.id)).stopped_at is None
