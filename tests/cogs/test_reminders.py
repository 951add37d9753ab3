"""/reminders: the panel shows the next reminder after each change, also when another process answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.discord.seen import SeenMessage


async def register(stage: Any, *processes: str) -> None:
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": " ".join(processes)})
    await reply.wait_until(lambda message: "first DM: please" in message.text)


async def panel(stage: Any, **options: str) -> SeenMessage:
    return await (await stage.ada.slash(stage.channel.id, "reminders", options)).wait_final()


async def due(stage: Any) -> datetime:
    return (await stage.application.registering.person(stage.ada.id)).next_reminder_at


def select(message: SeenMessage, verb: str) -> Any:
    return next(each for each in message.selects if (each.custom_id or "").startswith(f"{verb}:"))


async def choose(stage: Any, message: SeenMessage, verb: str, value: str) -> SeenMessage:
    """Choose in the panel, and wait until it shows what it is like then."""
    before = message.text  # of the message as it is now: it is edited in place
    reply = await stage.ada.choose(message, select(message, verb).custom_id, [value])
    return await reply.wait_until(lambda seen: seen.id == message.id and seen.text != before)


async def test_the_panel_shows_the_next_one_after_each_change(stage: Any) -> None:
    await register(stage, stage.unpatched())
    shown = await panel(stage, zone="asia/tokyo")
    assert shown.ephemeral
    assert "(`Asia/Tokyo`)" in shown.text
    assert f"<t:{int((await due(stage)).timestamp())}:R>" in shown.text
    shown = await choose(stage, shown, "hour", "15")
    assert (await due(stage)).astimezone(ZoneInfo("Asia/Tokyo")).hour == 15
    assert f"<t:{int((await due(stage)).timestamp())}:R>" in shown.text
    await stage.restart()
    shown = await choose(stage, shown, "quiet", "9-17")
    assert (await due(stage)).astimezone(ZoneInfo("Asia/Tokyo")).hour == 17
    await (await stage.ada.choose(shown, select(shown, "apart").custom_id, ["14"])).wait_final()
    day = select(shown, "pause").options[2][1]
    shown = await choose(stage, shown, "pause", day)
    assert (await due(stage)).astimezone(ZoneInfo("Asia/Tokyo")).date().isoformat() == day
    person = await stage.application.registering.person(stage.ada.id)
    assert person.apart_days == 14


async def test_a_zone_is_suggested_by_what_is_typed_and_by_language(stage: Any) -> None:
    suggested = await stage.ada.autocomplete(stage.channel.id, "reminders", {"zone": "kolk"}, "zone")
    assert suggested == [("Asia/Kolkata", "Asia/Kolkata")]
    suggested = await stage.ada.autocomplete(stage.channel.id, "reminders", {"zone": ""}, "zone")
    assert suggested[0][1] == "America/New_York"
    assert len(suggested) <= 25


async def test_a_zone_typed_into_the_form(stage: Any) -> None:
    await register(stage, stage.unpatched())
    shown = await panel(stage)
    assert "Tell me your time zone" in shown.text
    form = await stage.ada.press(shown, "Time zone…")
    answer = await stage.ada.submit(form.modal, {"zone": "new york"})
    changed = await answer.wait_until(lambda seen: "(`America/New_York`)" in seen.text)
    assert changed.id == shown.id
    form = await stage.ada.press(changed, "Time zone…")
    refused = await (await stage.ada.submit(form.modal, {"zone": "Nowhere"})).wait_final()
    assert "don't know that time zone" in refused.text
    assert (await stage.application.registering.person(stage.ada.id)).zone == "America/New_York"


async def test_stop_and_again(stage: Any) -> None:
    await register(stage, stage.unpatched())
    shown = await panel(stage)
    stopped = await (await stage.ada.press(shown, "Stop")).wait_final()
    assert "**No more reminders.**" in stopped.text
    shown = await panel(stage)
    assert "you stopped them" in shown.text
    assert "Stop" not in [button.label for button in shown.buttons]
    again = await stage.ada.press(shown, "Remind me again")
    shown = await again.wait_until(lambda seen: "**Next reminder " in seen.text)
    assert await due(stage) is not None


async def test_the_status_of_many_says_when_the_next_one_comes(stage: Any) -> None:
    await register(stage, stage.unpatched(), stage.unpatched(), stage.patched())
    status = await (await stage.ada.slash(stage.channel.id, "status")).wait_final()
    assert f"Next reminder <t:{int((await due(stage)).timestamp())}:R>." in status.text
    await (await stage.ada.press(await panel(stage), "Stop")).wait_final()
    status = await (await stage.ada.slash(stage.channel.id, "status")).wait_final()
    assert "You stopped my reminders; *Remind me again* below starts them." in status.text
    assert "Remind me again" in [button.label for button in status.buttons]


async def test_who_follows_nothing_is_told_so(stage: Any) -> None:
    assert "follow no process yet" in (await panel(stage)).text


async def test_choices_that_make_no_sense_get_an_answer(stage: Any) -> None:
    await register(stage, stage.unpatched())
    shown = await panel(stage)
    before = await due(stage)
    for verb in ("hour", "quiet", "apart", "pause"):
        chosen = select(shown, verb)
        chosen.raw["options"][0]["value"] = "nonsense"  # as a forged client would send it
        await (await stage.ada.choose(shown, chosen.custom_id, ["nonsense"])).wait_followup()
    assert await due(stage) == before
