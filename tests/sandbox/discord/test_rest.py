"""Who may do what, whom a DM reaches, what faults look like, and routes that are not there; by plain HTTP."""

from __future__ import annotations

import time

import httpx
import pytest

from sandbox.discord import DiscordServer
from sandbox.discord.faults import Loss
from sandbox.discord.fixtures import running
from sandbox.discord.permissions import Can, Overwrite
from sandbox.discord.world import MESSAGES_PER_CHANNEL

SEND = "POST /channels/{channel_id}/messages"


def refused(response, status, code):
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    return True


async def test_a_wrong_token_is_refused(server):
    async with httpx.AsyncClient(base_url=server.api_url, verify=False) as stranger:
        for headers in ({}, {"Authorization": "Bot wrong"}, {"Authorization": server.token}):
            response = await stranger.get("/users/@me", headers=headers)
            assert (response.status_code, response.json()) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_unknown_routes_are_remembered_and_fail_a_test():
    async def ask_for_pins() -> None:
        async with running() as (server, _), httpx.AsyncClient(base_url=server.api_url, verify=False) as api:
            response = await api.post("/channels/1/pins", headers={"Authorization": f"Bot {server.token}"})
            assert (response.status_code, response.json()) == (404, {"message": "404: Not Found", "code": 0})
            assert list(server.unknown_requests) == ["POST /api/v10/channels/1/pins"]

    with pytest.raises(AssertionError, match="POST /api/v10/channels/1/pins"):
        await ask_for_pins()


async def test_answers_are_json_without_a_charset(api):
    assert (await api.get("/users/@me")).headers["Content-Type"] == "application/json"


async def test_tells_of_itself_and_its_guild(api, server, town):
    assert (await api.get("/applications/@me")).json() == (await api.get("/oauth2/applications/@me")).json()
    assert (await api.get("/gateway/bot")).json()["url"] == server.gateway_url
    assert [guild["id"] for guild in (await api.get("/users/@me/guilds")).json()] == [str(town.guild.id)]
    guild = f"/guilds/{town.guild.id}"
    assert (await api.get(guild)).json()["name"] == "Town"
    assert {channel["name"] for channel in (await api.get(f"{guild}/channels")).json()} == {"general", "announcements"}
    assert {role["name"] for role in (await api.get(f"{guild}/roles")).json()} == {
        "@everyone",
        "Patchbell",
        "Moderators",
    }
    assert (await api.get(f"{guild}/roles/{town.moderators.id}")).json()["permissions"] == str(32 | 8192)
    assert (await api.get(f"{guild}/members/{town.holder.id}")).json()["user"]["username"] == "hugo"
    assert (await api.get(f"/users/{town.stranger.id}")).json()["global_name"] == "Stan"
    assert refused(await api.get(f"{guild}/members/{town.stranger.id}"), 404, 10007)
    assert refused(await api.get("/users/1"), 404, 10013)
    assert refused(await api.get("/guilds/1"), 404, 10004)
    assert refused(await api.get("/channels/1"), 404, 10003)


async def test_what_the_bot_cannot_see_it_cannot_touch(api, send, server, town):
    server.world.set_overwrites(town.general, [Overwrite(town.guild.id, 0, deny=Can.VIEW_CHANNEL)])
    assert refused(await api.get(f"/channels/{town.general.id}"), 403, 50001)
    assert refused(await send(content="x"), 403, 50001)


@pytest.mark.parametrize(
    ("denied", "files", "status"),
    [(Can.SEND_MESSAGES, None, 403), (Can.ATTACH_FILES, None, 200), (Can.ATTACH_FILES, {0: ("a", b"x")}, 403)],
)
async def test_sending_needs_permission(send, server, town, denied, files, status):
    server.world.set_overwrites(
        town.general, [Overwrite(town.guild.id, 0, deny=denied), Overwrite(server.world.me.id, 1, deny=denied)]
    )
    assert (await send(files=files, content="x")).status_code == status


async def test_an_overwrite_of_the_member_comes_last(server, town):
    everyone, mine = (
        Overwrite(town.guild.id, 0, deny=Can.SEND_MESSAGES),
        Overwrite(town.owner.id, 1, allow=Can.SEND_MESSAGES),
    )
    server.world.set_overwrites(town.general, [everyone, mine])
    assert server.world.permissions(town.owner.id, town.general) & Can.SEND_MESSAGES
    assert not server.world.permissions(town.holder.id, town.general) & Can.SEND_MESSAGES
    assert server.world.permissions(town.stranger.id, town.general) == 0


async def test_others_messages_are_not_edited_nor_deleted_without_permission(api, send, server, town, owner):
    said = owner.say(town.general.id, "mine")
    path = f"/channels/{town.general.id}/messages/{said.id}"
    assert refused(await api.patch(path, json={"content": "x"}), 403, 50005)
    assert refused(await api.delete(path), 403, 50013)
    role = next(role for role in town.guild.roles.values() if role.managed)
    server.world.set_role_permissions(town.guild, role, role.permissions | Can.MANAGE_MESSAGES)
    assert (await api.delete(path)).status_code == 204
    assert said.deleted
    assert refused(await api.delete(path), 404, 10008)


async def test_messages_are_listed_newest_first(api, send, town):
    ids = [(await send(content=str(number))).json()["id"] for number in range(5)]
    path = f"/channels/{town.general.id}/messages"

    async def listed(**query):
        return [message["content"] for message in (await api.get(path, params=query)).json()]

    assert await listed() == ["4", "3", "2", "1", "0"]
    assert await listed(limit=2) == ["4", "3"]
    assert await listed(before=ids[2]) == ["1", "0"]
    assert await listed(after=ids[1], limit=2) == ["3", "2"]
    assert await listed(around=ids[2], limit=3) == ["3", "2", "1"]
    assert (await api.get(path, params={"limit": 101})).json()["code"] == 50035
    assert (await api.get(f"{path}/{ids[0]}")).json()["content"] == "0"


async def open_dm(api, user):
    return (await api.post("/users/@me/channels", json={"recipient_id": str(user.id)})).json()


async def test_a_dm_reaches_who_is_in_a_guild_with_the_bot(api, send, town, server, owner):
    channel = await open_dm(api, town.owner)
    assert (channel["type"], [user["username"] for user in channel["recipients"]]) == (1, ["olive"])
    assert (await open_dm(api, town.owner))["id"] == channel["id"] == str(owner.dm_channel())
    assert (await send(channel["id"], content="x")).status_code == 200
    stranger = await open_dm(api, town.stranger)
    assert refused(await send(stranger["id"], content="x"), 403, 50278)
    server.world.user_installs.add(town.stranger.id)
    assert (await send(stranger["id"], content="x")).status_code == 200


async def test_nobody_can_be_written_to_who_is_not_there(api, server):
    for recipient in ("1", str(server.world.me.id), "x"):
        assert refused(await api.post("/users/@me/channels", json={"recipient_id": recipient}), 400, 50033)


async def test_closed_dms_can_be_opened_but_not_written_in(api, send, town, server):
    server.faults.closed_dms.add(town.owner.id)
    channel = await open_dm(api, town.owner)
    assert refused(await send(channel["id"], content="x"), 403, 50007)


async def test_too_many_new_dms(api, town, server):
    server.faults.opening_too_fast = True
    assert refused(await api.post("/users/@me/channels", json={"recipient_id": str(town.owner.id)}), 403, 40003)


async def test_a_quarantine_spares_whom_the_bot_wrote_to_before(api, send, town, server):
    old, new = await open_dm(api, town.owner), await open_dm(api, town.holder)
    await send(old["id"], content="before")
    server.faults.quarantined = True
    assert (await send(old["id"], content="x")).status_code == 200
    assert refused(await send(new["id"], content="x"), 403, 20026)
    assert refused(await api.post("/users/@me/channels", json={"recipient_id": str(town.holder.id)}), 403, 20026)


async def test_planned_faults_come_in_order(api, send, server, town, owner):
    server.faults.fail(SEND, 503)
    server.faults.refuse(SEND, 50013)
    server.faults.rate_limit(SEND, 64.57, scope="shared")
    server.faults.lose_reply(SEND)
    assert (await send(content="x")).status_code == 503
    assert refused(await send(content="x"), 403, 50013)
    limited = await send(content="x")
    assert (limited.status_code, limited.headers["X-RateLimit-Scope"], limited.headers["Retry-After"]) == (
        429,
        "shared",
        "65",
    )
    assert (limited.json()["retry_after"], limited.json()["global"]) == (64.57, False)
    assert owner.messages(town.general.id) == []
    assert (await send(content="lost")).status_code == 500
    assert [message.text for message in owner.messages(town.general.id)] == ["lost"]
    server.faults.lose_reply(SEND, how=Loss.CUT)
    with pytest.raises(httpx.RemoteProtocolError):
        await send(content="cut")
    assert (await send(content="fine")).status_code == 200


async def test_a_slow_answer(send, server):
    server.faults.answer_delays[SEND] = 0.1
    started = time.monotonic()
    await send(content="x")
    assert time.monotonic() - started >= 0.1


async def test_five_messages_in_five_seconds(api, server, town):
    path = f"/channels/{town.general.id}/messages"
    seen = [await api.post(path, json={"content": "x"}) for _ in range(6)]
    assert [response.status_code for response in seen] == [200] * 5 + [429]
    assert [response.headers["X-RateLimit-Remaining"] for response in seen] == ["4", "3", "2", "1", "0", "0"]
    assert len({response.headers["X-RateLimit-Bucket"] for response in seen}) == 1
    last = seen[-1]
    assert (last.headers["X-RateLimit-Scope"], "Via" in last.headers, last.json()["global"]) == ("user", True, False)
    assert 0 < last.json()["retry_after"] <= 5
    other = await api.post(f"/channels/{town.announcements.id}/messages", json={"content": "x"})
    assert other.status_code == 200


async def test_the_global_limit_spares_interactions(api, server, interact, answer):
    server.rate_limits.enabled = True
    server.rate_limits.global_limit = 1
    assert (await api.get("/users/@me")).status_code == 200
    limited = await api.get("/users/@me")
    assert (limited.json()["global"], limited.headers["X-RateLimit-Global"]) == (True, "true")
    assert (await answer(interact(), 4, content="x")).status_code == 200


async def test_an_alarm_goes_through_a_webhook(server, town, owner):
    webhook, token = server.world.add_webhook(town.general)
    async with httpx.AsyncClient(base_url=server.api_url, verify=False) as anybody:
        path = f"/webhooks/{webhook}/{token}"
        assert (await anybody.post(path, json={"content": "all nodes are down"})).status_code == 204
        assert (await anybody.post(path, params={"wait": "true"}, json={"content": "x"})).status_code == 200
        assert refused(await anybody.post(f"/webhooks/{webhook}/wrong", json={"content": "x"}), 401, 50027)
        assert refused(await anybody.post("/webhooks/1/wrong", json={"content": "x"}), 404, 10015)
    assert owner.messages(town.general.id)[0].text == "all nodes are down"


async def test_a_file_is_served(send, town):
    message = (await send(files={0: ("a.txt", b"hello")})).json()
    async with httpx.AsyncClient(verify=False) as anybody:
        assert (await anybody.get(message["attachments"][0]["url"])).content == b"hello"


async def test_a_channel_keeps_its_newest_messages(server: DiscordServer, town, owner):
    for number in range(MESSAGES_PER_CHANNEL + 1):
        owner.say(town.general.id, str(number))
    kept = owner.messages(town.general.id)
    assert (len(kept), kept[0].text) == (MESSAGES_PER_CHANNEL, "1")


async def test_ids_grow_and_tell_their_time(server, clock):
    from sandbox.discord.snowflakes import created_at

    first, second = server.world.new_id(), server.world.new_id()
    clock.skip(86400)
    third = server.world.new_id()
    assert first < second < third
    assert created_at(third) == clock()
