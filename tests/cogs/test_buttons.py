"""What buttons do, and that they still do it when another process answers them."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.ao import line as line_of_looks
from bot.domain.notices import Patched, ProcessLine, Reminder
from bot.store import outbox, registrations, tables
from cogs.following import CHECKED_AT_ONCE
from sandbox.discord.seen import SeenMessage


def labels(message: SeenMessage) -> list[str]:
    return [button.label for button in message.buttons]


async def choose(stage: Any, message: SeenMessage, value: str) -> SeenMessage:
    """Choose in the list under a DM."""
    return await (await stage.ada.choose(message, message.selects[0].custom_id, [value])).wait_final()


async def register(stage: Any, *processes: str) -> SeenMessage:
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": " ".join(processes)})
    return await reply.wait_until(lambda message: "first DM: please" in message.text)


async def remind(stage: Any, process: str) -> SeenMessage:
    """Owe a reminder as the reminding loop does, and wait for it."""
    application = stage.application
    now = application.clock()
    card = (await application.registering.cards(stage.ada.id))[0]
    line = ProcessLine(process=process, label="My vault", since=now - timedelta(days=27))
    deadline = now + timedelta(days=20)
    async with application.database.write() as connection:
        listed = await registrations.by_ids(connection, [card.registration_id])
        ticket = await application.ticketing.mint_in(connection, stage.ada.id, listed, now)
        notice = Reminder(
            safe_word="amber otter", processes=(line,), community="Permaville", deadline=deadline, ticket=ticket
        )
        await outbox.owe(connection, notice, now=now, user_id=stage.ada.id)
    application.delivering.wake()
    return await stage.ada.wait_dm(lambda message: "waiting for you" in message.text)


async def test_first_dm_buttons_live_across_a_restart(stage: Any) -> None:
    process = stage.unpatched()
    await register(stage, process)
    first = await stage.ada.wait_dm()
    await stage.restart()
    later = await (await stage.ada.press(first, "Tonight")).wait_final()
    assert "**No reminders until <t:" in later.text
    assert "I don't know your time zone" in later.text
    stopped = await choose(stage, first, "stop")
    assert "**No more reminders.**" in stopped.text
    assert (await stage.application.registering.cards(stage.ada.id))[0].stopped
    await stage.restart()
    thanks = await (await stage.ada.choose(stopped, stopped.selects[0].custom_id, ["too-many"])).wait_final()
    assert "never who" in thanks.text
    assert (await stage.application.registering.person(stage.ada.id)).stop_reason == "too-many"


async def test_another_day_is_chosen_after_a_restart_and_brings_reminders_back(stage: Any) -> None:
    await register(stage, stage.unpatched())
    first = await stage.ada.wait_dm()
    await choose(stage, first, "stop")
    which = await choose(stage, first, "date")
    await stage.restart()
    day = which.selects[0].options[4][1]
    answer = await (await stage.ada.choose(which, which.selects[0].custom_id, [day])).wait_final()
    assert "**No reminders until <t:" in answer.text
    person = await stage.application.registering.person(stage.ada.id)
    assert person.next_reminder_at.date().isoformat() == day
    assert person.stopped_at is None


async def test_buttons_of_older_messages_still_work(stage: Any) -> None:
    await register(stage, stage.unpatched())
    first = await stage.ada.wait_dm()
    delivery = first.selects[0].custom_id.partition(":")[2]
    button = next(button for button in first.buttons if button.label == "Next week")
    for custom_id, said in (
        (f"snooze:{delivery}:day", "No reminders until"),
        (f"snooze:{delivery}:week", "No reminders until"),
        (f"cannot:{delivery}", "What is in the way?"),
        (f"stop:{delivery}", "No more reminders"),
        ("resume:all", "I'll remind you again"),
    ):
        button.raw["custom_id"] = custom_id
        assert said in (await (await stage.ada.press(first, "Next week")).wait_final()).text


async def test_a_card_answers_after_a_restart(stage: Any) -> None:
    process = stage.unpatched()
    card = await register(stage, process)
    await stage.restart()
    looked = await (await stage.ada.press(card, "Check now")).wait_final()
    assert process in looked.text
    gone = await (await stage.ada.press(card, "Not mine")).wait_final()
    assert "**I no longer follow**" in gone.text
    again = await (await stage.ada.press(card, "Check now")).wait_final()
    assert "You don't follow that process" in again.text


@pytest.mark.slow
async def test_all_that_one_button_looks_at_waits_once(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_of_looks, "_TOLD_AFTER", 0.01)
    monkeypatch.setattr(line_of_looks, "_TOLD_EVERY", 0.2)
    processes = [stage.unpatched() for _ in range(CHECKED_AT_ONCE + 1)]
    await register(stage, *processes)
    message = await remind(stage, processes[0])
    now, line = 0.0, stage.application.registering._anew._reader.line
    monkeypatch.setattr(line, "_timer", lambda: now)
    async with contextlib.AsyncExitStack() as crowd:
        for _ in range(line_of_looks.AT_ONCE):
            await crowd.enter_async_context(line.turn())
        reply = await stage.ada.press(message, "Check now")
        await reply.wait_until(lambda message: "you are number" in message.text)
        now = line_of_looks.LONGEST_WAIT
        checked = await reply.wait_until(lambda message: f"{len(processes)} not patched yet" in message.text)
    assert all(process[:4] in checked.text for process in processes)


async def tickets_of(stage: Any) -> int:
    async with stage.application.database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(tables.tickets))).scalar_one()


async def test_a_reminder_is_checked_snoozed_and_stopped(stage: Any) -> None:
    process = stage.unpatched()
    await register(stage, process)
    message = await remind(stage, process)
    assert labels(message) == ["Sign", "Check now", "Tonight", "Next week"]
    assert [value for _, value in message.selects[0].options] == ["date", "cannot", "stop"]
    assert message.buttons[0].url is not None
    assert message.buttons[0].url.startswith("http://127.0.0.1:9/sign#")
    assert "amber otter" in message.text
    before = await tickets_of(stage)
    checked = await (await stage.ada.press(message, "Check now")).wait_final()
    assert process in checked.text
    assert await tickets_of(stage) == before + 1
    for label in ("Tonight", "Next week"):
        assert "No reminders until" in (await (await stage.ada.press(message, label)).wait_final()).text
    assert "No more reminders" in (await choose(stage, message, "stop")).text
    status = await (await stage.ada.slash(stage.channel.id, "status")).wait_final()
    resumed = await (await stage.ada.press(status, "Remind me again")).wait_final()
    assert "I'll remind you again" in resumed.text
    assert not (await stage.application.registering.cards(stage.ada.id))[0].stopped


async def test_nobody_elses_button_works(stage: Any) -> None:
    process = stage.unpatched()
    await register(stage, process)
    await remind(stage, process)
    bo = stage.person("bo")
    reply = await bo.slash(stage.channel.id, "register", {"process": stage.unpatched()})
    await reply.wait_until(lambda message: "first DM: please" in message.text)
    first = await bo.wait_dm()
    adas = (await stage.ada.wait_dm()).buttons[-1].custom_id or ""
    theirs = next(button for button in first.buttons if button.label == "Next week")
    theirs.raw["custom_id"] = adas  # as a forged client would send it
    refused = await (await bo.press(first, "Next week")).wait_final()
    assert "somebody else's" in refused.text
    assert not (await stage.application.registering.cards(stage.ada.id))[0].stopped


@pytest.mark.slow  # registers twenty-three
async def test_a_list_turns_its_pages(stage: Any) -> None:
    processes = [stage.unpatched(f"P{n}") for n in range(23)]
    await register(stage, *processes)
    status = await (await stage.ada.slash(stage.channel.id, "status")).wait_final()
    assert "23 processes" in status.text
    reply = await stage.ada.press(status, "More (page 2 of 2)")
    second = await reply.wait_until(lambda message: "Earlier" in labels(message))
    assert second.id == status.id
    assert len(second.selects[0].options) == 3
    reply = await stage.ada.choose(second, second.selects[0].custom_id, [second.selects[0].options[0][1]])
    assert "**Details**" in (await reply.wait_final()).text


async def test_patched_shows_the_others(stage: Any) -> None:
    processes = [stage.patched(), stage.unpatched()]
    await register(stage, *processes)
    notice = Patched(
        safe_word="amber otter",
        process=ProcessLine(process=processes[0]),
        shown=("balances",),
        nodes=2,
        node_url="http://node.example/x",
        open_processes=1,
    )
    application = stage.application
    async with application.database.write() as connection:
        await outbox.owe(connection, notice, now=application.clock(), user_id=stage.ada.id)
    application.delivering.wake()
    message = await stage.ada.wait_dm(lambda message: "**Done:**" in message.text)
    assert "Two nodes can read `balances`" in message.text
    assert labels(message) == ["See it live", "Show my others (1)"]
    assert "2 processes" in (await (await stage.ada.press(message, "Show my others (1)")).wait_final()).text


async def test_what_turns_patched_soon_after_joins_the_message_that_is_there(stage: Any) -> None:
    first, second = processes = [stage.unpatched("Harbour"), stage.unpatched("Lantern")]
    await register(stage, *processes)
    for process, expected in ((first, "Harbour"), (second, "1 more has turned patched: `Lantern`")):
        stage.network.send(process, stage.wallet, {"Action": "EnableStatePatch"})
        await stage.application.checking.check_now(stage.ada.id, process)
        stage.application.tidying.wake()
        stage.application.delivering.wake()
        message = await stage.ada.wait_dm(lambda message, said=expected: said in message.text)
    assert "`Harbour`" in message.text
    assert labels(message) == ["See it live"]
    dms = stage.ada.messages(stage.ada.dm_channel())
    assert [each.id for each in dms if "**Done:**" in each.text] == [message.id]


async def test_a_press_that_makes_no_sense_gets_an_answer(stage: Any) -> None:
    card = await register(stage, stage.unpatched())
    button = next(button for button in card.buttons if button.label == "Check now")
    for custom_id in ("gone:1", "look:nonsense", "snooze:1:never", "check:1:2:3", "leaf:x"):
        button.raw["custom_id"] = custom_id
        assert (await (await stage.ada.press(card, custom_id)).wait_final()).text
