"""What can go wrong between the outbox and Discord, each by its rule (`cogs/delivery.py`), through the real client.

The bot runs whole, on a clock that tests put forward; what counts is what the receiver has in the end, and what the
outbox says meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.notices import Alarm, FirstDm
from bot.services import delivering, holds
from bot.store import outbox, people
from bot.store.outbox import Message
from sandbox.discord.faults import Loss, Moment
from sandbox.discord.server import DiscordServer

pytestmark = pytest.mark.slow

SEND = "POST /channels/{channel_id}/messages"
OPEN = "POST /users/@me/channels"
CLIENT_TRIES = 5  # discord.py's own, `HTTPClient.request`
ASKED_AGAIN_BY_THE_CLIENT = (500, 502, 504, 524)
FIRST = FirstDm(safe_word="amber otter", processes=())


class Ahead:
    """The clock of all: the machine's, put forward."""

    by = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.by


@pytest.fixture
def ahead() -> Ahead:
    return Ahead()


@pytest.fixture
async def discord_server(ahead: Ahead) -> AsyncIterator[DiscordServer]:
    server = DiscordServer(ahead)
    await server.start()
    yield server
    await server.stop()
    assert not server.unknown_requests


class Post:
    """The running bot's outbox, and what arrives."""

    def __init__(self, stage: Any, ahead: Ahead) -> None:
        self.stage = stage
        self.faults = stage.discord.faults
        self.app = stage.application
        self.ahead = ahead
        self.bob = stage.person("bob")

    async def owe(self, person: Any, notice: Any = FIRST) -> int:
        now = self.ahead()
        async with self.app.database.write() as connection:
            await people.remember(connection, person.id, safe_word="a b", locale="en", name_hint="", now=now)
            delivery = await outbox.owe(connection, notice, now=now, user_id=person.id)
        self.app.delivering.wake()
        return delivery

    async def find(self, delivery: int) -> Message:
        async with self.app.database.read() as connection:
            message = await outbox.find(connection, delivery)
        assert message is not None
        return message

    async def held(self) -> dict[str, datetime]:
        async with self.app.database.read() as connection:
            return await holds.all_held(connection, self.ahead())

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await condition():  # noqa: ASYNC110 -- it comes true by the loops, through sockets
                await asyncio.sleep(0.01)

    async def until_tried(self, delivery: int) -> Message:
        """Wait until an attempt was answered, and the message put off or ended."""

        async def answered() -> bool:
            message = await self.find(delivery)
            return message.attempts > 0 and message.lease_until is None

        await self.until(answered)
        return await self.find(delivery)

    async def until_sent(self, delivery: int) -> None:
        async def sent() -> bool:
            return (await self.find(delivery)).was_sent

        self.app.delivering.wake()
        await self.until(sent)

    def move(self, **delta: float) -> None:
        self.ahead.by += timedelta(**delta)
        self.app.delivering.wake()

    def arrived(self, person: Any) -> int:
        return len(person.messages(person.dm_channel()))

    def requests(self, route: str) -> int:
        return sum(each.route == route for each in self.stage.discord.requests)

    async def alarms(self) -> str:
        async with self.app.database.read() as connection:
            return " ".join(each.notice.sentence for each in await outbox.of_person(connection, self.operator))

    @property
    def operator(self) -> int:
        return self.app.settings.operators[0]


@pytest.fixture
async def post(off_stage: Any, ahead: Ahead) -> Post:
    off_stage.clock = ahead
    off_stage.changes["operators"] = (off_stage.discord.world.owner.id,)
    await off_stage.start()
    return Post(off_stage, ahead)


def lost_500(post: Post) -> None:
    post.faults.lose_reply(SEND, how=Loss.SERVER_ERROR)


def lost_by_a_cut(post: Post) -> None:
    post.faults.lose_reply(SEND, how=Loss.CUT)


def error_500(post: Post) -> None:
    post.faults.fail(SEND, 500)


def error_502(post: Post) -> None:
    post.faults.fail(SEND, 502)


def error_504(post: Post) -> None:
    post.faults.fail(SEND, 504)


def error_524(post: Post) -> None:
    post.faults.fail(SEND, 524)


def error_503(post: Post) -> None:
    post.faults.fail(SEND, 503)


def reset(post: Post) -> None:
    post.faults.reset(SEND)


def reset_at_opening(post: Post) -> None:
    post.faults.reset(OPEN)


def short_429_of_the_bucket(post: Post) -> None:
    post.faults.rate_limit(SEND, 0.3)


def short_429_of_all(post: Post) -> None:
    post.faults.rate_limit(SEND, 0.3, scope="global")


def short_429_shared(post: Post) -> None:
    post.faults.rate_limit(SEND, 0.3, scope="shared")


PASSING = (
    lost_500,
    lost_by_a_cut,
    error_500,
    error_502,
    error_503,
    error_504,
    error_524,
    reset,
    reset_at_opening,
    short_429_of_the_bucket,
    short_429_of_all,
    short_429_shared,
)


@pytest.mark.parametrize("fault", PASSING)
async def test_what_passes_by_itself_ends_with_one_message(post: Post, fault: Callable[[Post], None]) -> None:
    fault(post)
    delivery = await post.owe(post.stage.ada)
    await post.until_sent(delivery)
    assert post.arrived(post.stage.ada) == 1
    assert await post.held() == {}
    assert post.app.delivering.refusals.counted == (fault in (short_429_of_the_bucket, short_429_of_all))


async def test_errors_that_outlast_the_clients_own_tries_are_waited_out(post: Post) -> None:
    """Takes the 25 seconds that the client waits between its tries (1, 3, 5, 7 and 9), for all of them at once."""
    owed = {}
    for status in ASKED_AGAIN_BY_THE_CLIENT:
        person = post.stage.person(f"met-{status}")
        post.faults.fail(SEND, status, times=CLIENT_TRIES, within=f"/{person.dm_channel()}/")
        owed[await post.owe(person)] = person
    for delivery in owed:
        message = await post.until_tried(delivery)
        assert (message.state, message.attempts, message.uncertain_since is None) == ("owed", 1, False)
    assert post.requests(SEND) == CLIENT_TRIES * len(owed), "the client gave up after so many"
    assert await post.held() == {}, "and nobody else waits for them"
    for delivery, person in owed.items():
        await post.until_sent(delivery)
        assert post.arrived(person) == 1
    assert post.requests(SEND) == (CLIENT_TRIES + 1) * len(owed)


async def test_answers_that_are_lost_again_and_again_double_nothing(post: Post) -> None:
    """Discord has it from the first try on, and each of the client's five tries is told 500."""
    post.faults.lose_reply(SEND, times=CLIENT_TRIES)
    delivery = await post.owe(post.stage.ada)
    assert (await post.until_tried(delivery)).uncertain_since is not None
    post.move(minutes=5)
    await post.until_sent(delivery)
    assert post.arrived(post.stage.ada) == 1
    assert post.requests(SEND) == CLIENT_TRIES, "found by looking: its nonce has long been forgotten"


async def test_no_answer_in_time_is_asked_again(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "SEND_TIMEOUT", 0.3)
    silence = post.faults.hold_up(SEND, Moment.DONE)
    delivery = await post.owe(post.stage.ada)
    message = await post.until_tried(delivery)
    assert (message.state, message.uncertain_since is None) == ("owed", False)
    silence.let_go()
    monkeypatch.undo()
    await post.until_sent(delivery)
    assert post.arrived(post.stage.ada) == 1


async def test_a_long_429_of_one_conversation_keeps_nobody_else(post: Post) -> None:
    post.faults.rate_limit(SEND, 300.0)
    slow = await post.owe(post.stage.ada)
    message = await post.until_tried(slow)
    assert message.next_try_at > post.ahead() + timedelta(seconds=250)
    await post.until_sent(await post.owe(post.bob))
    assert await post.held() == {}
    post.move(seconds=310)
    await post.until_sent(slow)
    assert post.arrived(post.stage.ada) == 1


def long_429_of_all(post: Post) -> None:
    post.faults.rate_limit(SEND, 300.0, scope="global")


def cloudflare(post: Post) -> None:
    post.faults.rate_limit(SEND, 1.0, via=False)


def token_refused(post: Post) -> None:
    post.faults.fail(SEND, 401)


@pytest.mark.parametrize(("fault", "seconds"), [(long_429_of_all, 300), (cloudflare, 600), (token_refused, 300)])
async def test_what_is_about_all_holds_all(post: Post, fault: Callable[[Post], None], seconds: int) -> None:
    fault(post)
    first = await post.owe(post.stage.ada)
    await post.until_tried(first)
    until = (await post.held())[holds.SENDS]
    assert timedelta(seconds=seconds - 60) < until - post.ahead() <= timedelta(seconds=seconds + 1)
    before = post.requests(SEND)
    second = await post.owe(post.bob)
    await post.app.delivering.deliver_due()
    assert post.requests(SEND) == before
    assert "takes no message" in await post.alarms()
    report = (await post.app.health()).as_json()
    assert report["ok"]
    assert list(report["held"]) == ["sends"]
    post.move(seconds=seconds + 10)
    await post.until_sent(first)
    await post.until_sent(second)
    assert (post.arrived(post.stage.ada), post.arrived(post.bob)) == (1, 1)
    async with post.app.database.read() as connection:
        assert not await holds.on_trial(connection, holds.SENDS), "the next hold begins small again"


@pytest.mark.parametrize("code", [40003, 20026])
async def test_while_no_dm_may_be_opened_open_ones_go_on(post: Post, code: int) -> None:
    await post.until_sent(await post.owe(post.bob))
    post.faults.opening_too_fast, post.faults.quarantined = code == 40003, code == 20026
    blocked = await post.owe(post.stage.ada)
    assert (await post.until_tried(blocked)).code == code
    assert list(await post.held()) == [holds.NEW_CONVERSATIONS]
    opened = post.requests(OPEN)
    await post.until_sent(await post.owe(post.bob, Alarm(sentence="Goes on.")))
    waiting = await post.owe(post.stage.person("carol"))
    await post.app.delivering.deliver_due()
    assert (await post.find(waiting)).attempts == 0
    assert post.requests(OPEN) == opened
    assert f"code {code}" in await post.alarms()
    post.faults.opening_too_fast = post.faults.quarantined = False
    post.move(hours=13)
    await post.until_sent(blocked)
    await post.until_sent(waiting)
    assert post.arrived(post.stage.ada) == 1


async def test_a_lost_answer_and_then_a_block_do_not_double(post: Post) -> None:
    """The doubt about the first attempt outlives what the second is told, and the nonce."""
    post.faults.lose_reply(SEND, how=Loss.CUT)
    post.faults.rate_limit(SEND, 1.0, via=False, times=0)
    delivery = await post.owe(post.stage.ada)
    await post.until_tried(delivery)
    cloudflare(post)

    async def held() -> bool:
        return holds.SENDS in await post.held()

    post.move(seconds=5)
    await post.until(held)
    post.move(minutes=11)
    await post.until_sent(delivery)
    assert post.arrived(post.stage.ada) == 1
    assert post.requests("GET /channels/{channel_id}/messages") == 1


@pytest.mark.parametrize("code", [50007, 50278])
async def test_who_takes_no_dm_is_asked_once(post: Post, code: int) -> None:
    closed = post.faults.closed_dms if code == 50007 else post.faults.no_mutual_guild
    closed.add(post.stage.ada.id)
    first = await post.owe(post.stage.ada)
    message = await post.until_tried(first)
    assert (message.state, message.code, message.unreachable_code) == ("refused", code, code)
    sends = post.requests(SEND)
    second = await post.owe(post.stage.ada, Alarm(sentence="Never tried."))

    async def refused() -> bool:
        return (await post.find(second)).state == "refused"

    await post.until(refused)
    assert post.requests(SEND) == sends
    assert post.app.delivering.refusals.counted == 1


async def test_many_refusals_stop_sending_before_discord_does(post: Post) -> None:
    for _ in range(post.app.delivering.refusals.AT_MOST):
        post.app.hear_discord(403, None)
    delivery = await post.owe(post.stage.ada)

    async def held() -> bool:
        return holds.SENDS in await post.held()

    await post.until(held)
    assert (await post.find(delivery)).attempts == 0
    assert "refused 1000 requests" in await post.alarms()
    post.move(minutes=11)
    await post.until_sent(delivery)


@pytest.mark.parametrize("resumes", [True, False])
async def test_a_dropped_gateway_stops_no_message(post: Post, resumes: bool) -> None:
    gateway = post.stage.discord.gateway
    gateway.refuses_connections = True
    if resumes:
        gateway.cut()
    else:
        gateway.invalidate()
        gateway.cut()
    await post.until_sent(await post.owe(post.stage.ada))
    gateway.refuses_connections = False
    await post.until_sent(await post.owe(post.bob))
    assert (post.arrived(post.stage.ada), post.arrived(post.bob)) == (1, 1)
