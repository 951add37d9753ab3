import asyncio

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.domain.notices import Alarm
from bot.services.alarms import Alarms
from bot.settings import AlertSettings, Settings
from bot.store import outbox

pytestmark = pytest.mark.slow


class Webhook:
    """Takes alarms over HTTP; answers with `status` once each, then 204."""

    def __init__(self) -> None:
        self.bodies: list[dict] = []
        self.statuses: list[int] = []
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204)


@pytest.fixture
async def webhook():
    hook = Webhook()
    app = web.Application()
    app.router.add_post("/hook", hook.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


@pytest.fixture
def alarms(database, clock, webhook):
    settings = Settings(operators=(1, 2), alerts=AlertSettings(webhook_url=SecretStr(webhook.url)))
    return Alarms(database, settings, clock)


async def test_each_operator_and_the_webhook_hear_it_once_an_hour_for_each_key(alarms, database, webhook, clock):
    assert await alarms.ring("nodes", "Nodes fail.")
    assert not await alarms.ring("nodes", "Nodes fail.")
    assert await alarms.ring("other", "Something else.")
    clock.move(minutes=59)
    assert not await alarms.ring("nodes", "Nodes fail.")
    clock.move(minutes=1)
    assert await alarms.ring("nodes", "Nodes still fail.")
    await alarms.close()
    assert webhook.bodies == [
        {"content": "Nodes fail."},
        {"content": "Something else."},
        {"content": "Nodes still fail."},
    ]
    async with database.read() as connection:
        for operator in (1, 2):
            notices = [each.notice for each in await outbox.of_person(connection, operator)]
            assert notices[0] == Alarm(sentence="Nodes still fail.")
            assert len(notices) == 3


async def test_many_at_once_ring_once(alarms, database, webhook):
    rang = await asyncio.gather(*(alarms.ring("nodes", "Nodes fail.") for _ in range(20)))
    await alarms.close()
    assert sum(rang) == 1
    assert len(webhook.bodies) == 1


async def test_what_is_rolled_back_rings_nowhere(alarms, database, webhook, clock):
    async def ring_and_fail() -> None:
        async with database.write() as connection:
            await alarms.ring_in(connection, "nodes", "Nodes fail.", clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ring_and_fail()
    await alarms.close()
    assert webhook.bodies == []


async def test_a_webhook_that_fails_once_is_asked_again(alarms, webhook):
    webhook.statuses = [500]
    await alarms.ring("nodes", "Nodes fail.")
    await alarms.close()
    assert len(webhook.bodies) == 2


async def test_a_webhook_that_is_gone_stops_nothing_and_is_not_logged(database, clock, capsys):
    settings = Settings(alerts=AlertSettings(webhook_url=SecretStr("http://127.0.0.1:9/secret-path")))
    alarms = Alarms(database, settings, clock)
    assert await alarms.ring("nodes", "Nodes fail.")
    await alarms.close()
    printed = capsys.readouterr()
    assert "ConnectError" in printed.out + printed.err
    assert "secret-path" not in printed.out + printed.err


async def test_a_webhook_that_refuses_is_told_without_its_url(database, clock, webhook, capsys):
    webhook.statuses = [500, 404, 500]
    alarms = Alarms(database, Settings(alerts=AlertSettings(webhook_url=SecretStr(webhook.url))), clock)
    await alarms.ring("nodes", "Nodes fail.")
    await alarms.close()
    printed = capsys.readouterr()
    assert len(webhook.bodies) == 3
    assert (printed.out + printed.err).count("HTTPStatusError") == 3, "two tries again, and the end of it"
    assert "/hook" not in printed.out + printed.err
