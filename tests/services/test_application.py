"""The whole application, started and stopped, with every loop running."""

import asyncio
import time
from datetime import timedelta

import httpx
import pytest

from bot.application import Application
from bot.domain.card import Role
from bot.domain.notices import FirstDm, Patched
from bot.errors import AlreadyRunning, ConfigurationError, SendLater
from bot.services.health import Pulse
from bot.services.registering import RegisterRequest
from bot.services.supervising import Loop
from bot.settings import CheckSettings, DatabaseSettings, WebSettings
from bot.store import outbox

pytestmark = pytest.mark.slow


@pytest.fixture
def make(app, clock):
    """Make one more application on the same settings, with a free port."""

    def make() -> Application:
        settings = app.settings.model_copy(
            update={
                "web": WebSettings(port=0, public_url="https://patchbell.test"),
                "checks": CheckSettings(after_signature=timedelta(seconds=0.05)),
            }
        )
        return Application(settings, clock=clock)

    return make


async def test_the_loop_from_registering_to_patched_over_a_restart(make, world, sender):
    first = make()
    await first.start(sender)
    process = world.unpatched()
    outcome = await first.registering.register(RegisterRequest(7, process, Role.MINE))
    assert (await first.delivering.outcome(outcome.first_dm, 5)).state == "sent"
    await first.stop()

    second = make()
    await second.start(sender)
    try:
        world.patch(process)
        await second.checking.signed(process)
        async with asyncio.timeout(5):
            while len(sender.envelopes) < 2:
                second.delivering.wake()
                await asyncio.sleep(0.02)
        assert [type(each.notice) for each in sender.envelopes] == [FirstDm, Patched]
    finally:
        await second.stop()


async def test_health_is_served_and_says_what_moves(make, sender):
    application = make()
    await application.start(sender)
    try:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{application.web_port}/healthz")
        assert answer.status_code == 200
        names = {part["name"] for part in answer.json()["parts"]}
        assert names == {"sweep", "hinting", "reminding", "delivering", "tidying", "retention", "database"}
    finally:
        await application.stop()


async def test_silence_is_unhealthy_and_operators_are_told_once(make, sender, clock):
    application = make()
    await application.start(sender)
    try:
        for task in application._loops:
            task.cancel()
        clock.move(minutes=30)
        health = await application.health()
        assert not health.as_json()["ok"]
        for _ in range(3):
            await application._watch_once()
        async with application.database.read() as connection:
            sentences = {each.notice.sentence for each in await outbox.of_person(connection, 900)}
        silent = {"sweep", "hinting", "reminding", "delivering", "tidying", "retention"}
        assert {sentence.split()[1] for sentence in sentences} == silent
    finally:
        await application.stop()


async def test_a_second_copy_does_not_start(make, sender):
    first, second = make(), make()
    await first.start(sender)
    try:
        with pytest.raises(AlreadyRunning):
            await second.start(sender)
    finally:
        await first.stop()
    await second.start(sender)
    await second.stop()


async def test_an_address_that_is_taken_leaves_nothing_behind(make, sender, app, clock, tmp_path):
    first = make()
    await first.start(sender)
    taken = app.settings.model_copy(
        update={
            "web": WebSettings(port=first.web_port, public_url="https://patchbell.test"),
            "database": DatabaseSettings(url=f"sqlite+aiosqlite:///{tmp_path / 'another.db'}"),
        }
    )
    second = Application(taken, clock=clock)
    with pytest.raises(ConfigurationError, match=r"web\.port can't be used: .* in use"):
        await second.start(sender)
    await second.stop()
    await first.stop()


async def test_a_stop_is_prompt_and_what_was_in_flight_is_owed_still(make, sender, world):
    application = make()
    sender.faults = [SendLater("no", retry_after=0)]
    await application.start(sender)
    outcome = await application.registering.register(RegisterRequest(7, world.unpatched(), Role.MINE))
    await application.delivering.outcome(outcome.first_dm, 0.1)
    started = time.monotonic()
    await application.stop()
    assert time.monotonic() - started < 3
    again = make()
    await again.database.open()
    async with again.database.read() as connection:
        message = await outbox.find(connection, outcome.first_dm)
    await again.database.close()
    assert message.state == "owed"


async def test_a_loop_that_fails_is_logged_and_goes_on(clock):
    rounds: list[int] = []

    async def once() -> float:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise ZeroDivisionError
        loop.stop_running()
        return 0.0

    loop = Loop(Pulse("test", timedelta(seconds=1), clock), once)
    async with asyncio.timeout(5):
        await loop.run()
    assert rounds == [0, 1]
    assert loop.pulse.failures == 1
