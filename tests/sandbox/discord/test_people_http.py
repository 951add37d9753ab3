"""People's actions as JSON, as the sandbox's page uses them."""

from __future__ import annotations

import asyncio
import base64
import json

import httpx
import pytest
from aiohttp import web

from sandbox.discord import people_http

FIELDS = [
    {"type": 18, "label": "Title", "component": {"type": 4, "custom_id": "t", "style": 1}},
    {"type": 18, "label": "Ids", "component": {"type": 19, "custom_id": "f", "required": False}},
]
SELECT = {"type": 3, "custom_id": "s", "options": [{"label": each, "value": each} for each in "ab"]}


@pytest.fixture
async def page(server):
    """The page's HTTP client, on a web server of its own."""
    app = web.Application()
    people_http.add_routes(app, server)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/sandbox/discord/"
    async with httpx.AsyncClient(base_url=base, verify=False) as client:
        yield client
    server.events.close()
    await runner.cleanup()


@pytest.fixture
def act(page, owner):
    async def act(action, person=None, **given):
        response = await page.post(action, json={"person": str((person or owner).id), **given})
        return response.status_code, response.json()

    return act


async def test_the_state_is_what_a_person_sees(page, server, owner, town, holder):
    owner.dm_channel()
    owner.close_dms()
    state = (await page.get("state", params={"person": str(owner.id)})).json()
    assert state["bot"] == {"id": str(server.world.me.id), "name": "Patchbell", "online": False}
    assert state["me"] == {
        "id": str(owner.id),
        "name": "Olive",
        "username": "olive",
        "locale": "en-US",
        "dms_closed": True,
    }
    [guild] = state["guilds"]
    assert [(channel["name"], channel["type"]) for channel in guild["channels"]] == [
        ("general", "text"),
        ("announcements", "announcement"),
    ]
    assert [(dm["type"], dm["with"]) for dm in state["dms"]] == [("dm", "Patchbell")]
    others = (await page.get("state", params={"person": str(holder.id)})).json()
    assert others["dms"] == []
    strangers = (await page.get("state", params={"person": str(town.stranger.id)})).json()
    assert strangers["guilds"] == []


async def test_commands_come_with_their_options(page, register, owner, town):
    commands = (await page.get("commands", params={"person": str(owner.id), "channel": str(town.general.id)})).json()
    assert [(command["name"], command["type"]) for command in commands] == [("register", 1), ("Check this", 3)]
    assert commands[0]["options"][0] == {
        "name": "process",
        "type": 3,
        "description": "x",
        "required": True,
        "autocomplete": False,
        "choices": [],
        "min_length": 2,
        "max_length": 5,
        "min_value": None,
        "max_value": None,
    }


async def test_a_command_is_sent_with_a_file(act, register, answered, server, town, owner):
    file = {"name": "ids.txt", "data": base64.b64encode(b"one").decode()}
    channel = str(town.general.id)
    status, reply = await act(
        "slash", channel=channel, command="register", options={"process": "abc"}, files={"file": file}
    )
    assert (status, reply["state"], reply["message"]["content"]) == (200, "answered", "yes")
    assert (reply["message"]["ephemeral"], reply["message"]["only_for"]) == (True, str(owner.id))
    assert reply["message"]["via"] == {"user": "Olive", "command": "register"}
    [attachment] = answered[0]["data"]["resolved"]["attachments"].values()
    assert server.world.attachments[int(attachment["id"])].data == b"one"


async def test_refusals_are_sentences(act, register, answered, town):
    channel = str(town.general.id)
    status, refused = await act("slash", channel=channel, command="register", options={})
    assert (status, refused["kind"]) == (400, "BadOption")
    assert "process" in refused["error"]
    assert (await act("slash", channel="1", command="register"))[1]["kind"] == "NotVisible"
    assert (await act("press", message="1", button="x"))[1]["kind"] == "NotVisible"
    assert (await act("slash", channel=channel, command="register", options=5))[0] == 400
    assert (await act("submit", modal="1", values={}))[1]["kind"] == "NoModal"
    assert (await act("say"))[1]["kind"] == "BadRequest"


async def test_no_bot_is_a_504(act, register, town):
    status, refused = await act("slash", channel=str(town.general.id), command="register", options={"process": "abc"})
    assert (status, refused["kind"]) == (504, "TheBotDidNotAnswer")


async def test_buttons_and_selects(act, answered, send, town):
    row = {"type": 1, "components": [{"type": 2, "style": 1, "label": "Go", "custom_id": "go"}]}
    sent = (await send(content="x", components=[row, {"type": 1, "components": [SELECT]}])).json()
    assert (await act("press", message=sent["id"], button="Go"))[1]["message"]["reply_to"] == sent["id"]
    assert (await act("choose", message=sent["id"], select="s", values=["b"]))[0] == 200
    assert [each["data"]["custom_id"] for each in answered] == ["go", "s"]


async def test_a_dialog_is_shown_and_sent(act, page, interact, answer, server, owner):
    interaction = interact()
    await answer(interaction, 9, custom_id="m", title="T", components=FIELDS)
    [modal] = (await page.get("state", params={"person": str(owner.id)})).json()["modals"]
    assert (modal["id"], modal["title"], [field["label"] for field in modal["fields"]]) == (
        str(interaction.id),
        "T",
        ["Title", "Ids"],
    )
    sent, tasks = [], []

    def deliver(payload, guild_id):
        sent.append(payload["data"])
        tasks.append(asyncio.create_task(answer(server.interactions.get(int(payload["id"])), 4, content="done")))
        return True

    server.interactions._deliver = deliver
    file = {"name": "a.txt", "data": base64.b64encode(b"x").decode()}
    status, reply = await act("submit", modal=modal["id"], values={"Title": "x", "f": [file]})
    assert (status, reply["message"]["content"]) == (200, "done")
    assert sent[0]["components"][0]["component"]["value"] == "x"
    assert len(sent[0]["resolved"]["attachments"]) == 1
    assert (await page.get("state", params={"person": str(owner.id)})).json()["modals"] == []


async def test_the_rest_of_the_client(act, page, register, answered, owner, town, server):
    channel = str(town.general.id)
    _, said = await act("say", channel=channel, content="hello")
    assert said["message"]["author"]["name"] == "Olive"
    _, reply = await act("message-command", channel=channel, message=said["message"]["id"], command="Check this")
    where = {"person": str(owner.id), "channel": channel}
    assert [each["content"] for each in (await page.get("messages", params=where)).json()] == ["hello", "yes"]
    assert await act("dismiss", message=reply["message"]["id"]) == (200, {})
    assert [each["content"] for each in (await page.get("messages", params=where)).json()] == ["hello"]
    assert await act("dms", closed=True) == (200, {})
    assert owner.id in server.faults.closed_dms
    _, opened = await act("open-dm")
    assert opened["channel"]["with"] == "Patchbell"


async def test_files_come_from_the_pages_own_origin(page, send, town, owner):
    card = [{"type": 12, "items": [{"media": {"url": "attachment://p.svg"}}]}]
    await send(files={0: ("p.svg", b"<svg/>", "image/svg+xml")}, flags=1 << 15, components=card)
    where = {"person": str(owner.id), "channel": str(town.general.id)}
    [message] = (await page.get("messages", params=where)).json()
    url = message["components"][0]["items"][0]["media"]["url"]
    assert url == message["files"][0]["url"]
    answer = await page.get(str(page.base_url).removesuffix("/sandbox/discord/") + url)
    assert (answer.content, answer.headers["Content-Type"]) == (b"<svg/>", "image/svg+xml")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_the_feed_tells_each_what_they_see(page, interact, answer, owner, holder, send, server):
    async def read(person, until):
        events = []
        async with page.stream("GET", "feed", params={"person": str(person.id)}) as response:
            listening.release()
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    events.append(json.loads(line.removeprefix("data: ")))
                    if until in line:
                        return events
        raise AssertionError("the feed ended")

    listening = asyncio.Semaphore(0)
    mine, others = asyncio.create_task(read(owner, "the end")), asyncio.create_task(read(holder, "the end"))
    async with asyncio.timeout(3):
        await listening.acquire()
        await listening.acquire()
        await answer(interact(), 4, content="secret", flags=64)
        await answer(interact(), 9, custom_id="m", title="T", components=FIELDS)
        owner.dm_channel()
        await send(content="the end")
        seen, unseen = await mine, await others
    assert [event["type"] for event in seen] == [
        "interaction",
        "message",
        "interaction",
        "interaction",
        "interaction",
        "modal",
        "channel",
        "message",
    ]
    assert [event["type"] for event in unseen] == ["message"]
    assert seen[1]["message"]["content"] == "secret"
    assert seen[5]["modal"]["person"] == str(owner.id)
