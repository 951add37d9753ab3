"""The unmodified discord.py client on the sandbox's Discord."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from io import BytesIO

import aiohttp
import discord
import pytest
from discord import app_commands, ui
from discord.ext import commands

from sandbox.discord import DiscordServer, Person
from sandbox.discord.faults import Loss
from sandbox.discord.fixtures import GUILD_READY_TIMEOUT, connected, pointed_at, running
from sandbox.discord.interactions import State
from sandbox.discord.refusals import NoSuchCommand, TheBotDidNotAnswer

pytestmark = pytest.mark.slow

SEND = "POST /channels/{channel_id}/messages"


class Snooze(ui.DynamicItem[ui.Button], template=r"snooze:(?P<days>\d+)"):
    """A button that outlives the process that sent it."""

    def __init__(self, days: int) -> None:
        super().__init__(ui.Button(label=f"Snooze {days}", custom_id=f"snooze:{days}"))
        self.days = days

    @classmethod
    async def from_custom_id(cls, interaction, item, match, /):
        return cls(int(match["days"]))

    async def callback(self, interaction):
        await interaction.response.edit_message(view=Card(f"Snoozed for {self.days} days"))


class Card(ui.LayoutView):
    def __init__(self, text: str, *items: ui.Item) -> None:
        super().__init__(timeout=None)
        self.add_item(ui.Container(ui.TextDisplay(text), *items))


class Feedback(ui.Modal, title="Migration"):
    name = ui.Label(text="Title", component=ui.TextInput(max_length=40))
    preset = ui.Label(
        text="Preset",
        component=ui.Select(options=[discord.SelectOption(label="Token", value="token")]),
    )
    role = ui.Label(
        text="Yours?",
        component=ui.RadioGroup(
            options=[
                discord.RadioGroupOption(label="Mine", value="mine", default=True),
                discord.RadioGroupOption(label="Watching", value="watch"),
            ]
        ),
    )
    sure = ui.Label(text="Sure?", component=ui.Checkbox())
    ids = ui.Label(text="File", component=ui.FileUpload(required=False))

    async def on_submit(self, interaction):
        files = [(await file.read()).decode() for file in self.ids.component.values]
        answers = (self.name.component.value, self.preset.component.values, self.role.component.value)
        await interaction.response.send_message(f"{answers} {self.sure.component.value} {files}", ephemeral=True)


class Bot(commands.AutoShardedBot):
    """Carries the commands below, syncs them at each start, and counts what it hears of its connection."""

    def __init__(self, **more) -> None:
        super().__init__(
            commands.when_mentioned,
            intents=discord.Intents(guilds=True),
            help_command=None,
            guild_ready_timeout=GUILD_READY_TIMEOUT,
            max_messages=None,
            max_ratelimit_timeout=30,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            **more,
        )
        self.resumed = asyncio.Event()

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Snooze)
        for command in (hello, everything, later, ask, admin, look, silent, card, pick, twice):
            self.tree.add_command(command)
        self.synced = await self.tree.sync()

    async def on_resumed(self) -> None:
        self.resumed.set()

    async def before_identify_hook(self, shard_id, *, initial=False) -> None:
        """Skip the five seconds that real Discord wants between two IDENTIFYs."""


@app_commands.command(description="Say hello")
async def hello(interaction: discord.Interaction, name: str):
    await interaction.response.send_message(f"hello {name} {interaction.locale}", ephemeral=True)


async def _suggest(interaction: discord.Interaction, current: str):
    return [app_commands.Choice(name=f"Process {current}", value=current * 2)]


@app_commands.command(description="Every type of option")
@app_commands.choices(kind=[app_commands.Choice(name="Token", value="token")])
@app_commands.autocomplete(process=_suggest)
async def everything(
    interaction: discord.Interaction,
    process: str,
    count: app_commands.Range[int, 1, 5],
    ratio: float,
    flag: bool,
    user: discord.Member,
    channel: discord.TextChannel,
    role: discord.Role,
    file: discord.Attachment,
    kind: app_commands.Choice[str] | None = None,
):
    content = (await file.read()).decode()
    seen = (
        process,
        count,
        ratio,
        flag,
        user.name,
        channel.name,
        role.name,
        file.filename,
        content,
        kind and kind.value,
    )
    await interaction.response.send_message(repr(seen))


@app_commands.command(description="Think, answer, go on")
async def later(interaction: discord.Interaction):
    await interaction.response.defer(ephemeral=True, thinking=True)
    await interaction.edit_original_response(content="1 of 2")
    await interaction.edit_original_response(content="2 of 2")
    await interaction.followup.send("and more", ephemeral=True)
    original = await interaction.original_response()
    await interaction.followup.send(f"it was {original.content!r}")


@app_commands.command(description="Open a dialog")
async def ask(interaction: discord.Interaction):
    await interaction.response.send_modal(Feedback(timeout=60))


@app_commands.command(description="For moderators")
@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
async def admin(interaction: discord.Interaction):
    await interaction.response.send_message(f"{interaction.permissions.manage_guild}", ephemeral=True)


@app_commands.context_menu(name="Look at this")
async def look(interaction: discord.Interaction, message: discord.Message):
    await interaction.response.send_message(f"{message.author.name} said {message.content!r}", ephemeral=True)


@app_commands.command(description="Never answer")
async def silent(interaction: discord.Interaction):
    await asyncio.sleep(0)


@app_commands.command(description="A card with a picture and a file")
async def card(interaction: discord.Interaction):
    picture, table = discord.File(BytesIO(b"png"), "p.png"), discord.File(BytesIO(b"a,b"), "t.csv")
    gallery = ui.MediaGallery(discord.MediaGalleryItem("attachment://p.png"))
    row = ui.ActionRow(Snooze(3), ui.Button(label="Sign", url="https://patchbell.example/sign#x"))
    view = Card("**State**", ui.Separator(), gallery, ui.File(table), row)
    await interaction.response.send_message(view=view, files=[picture, table])


class Chooser(ui.View):
    @ui.select(placeholder="Which?", options=[discord.SelectOption(label=each) for each in "abc"], max_values=2)
    async def chosen(self, interaction, select):
        await interaction.response.defer()
        await interaction.edit_original_response(content=f"chose {select.values}", view=None)


@app_commands.command(description="Choose")
async def pick(interaction: discord.Interaction):
    await interaction.response.send_message("which?", view=Chooser())


@app_commands.command(description="Answer twice")
async def twice(interaction: discord.Interaction):
    await interaction.response.send_message("once")
    interaction.response._response_type = None  # so that discord.py itself does not stop it
    try:
        await interaction.response.send_message("twice")
    except discord.HTTPException as error:
        await interaction.edit_original_response(content=f"refused with {error.code}")


@pytest.fixture
async def live() -> AsyncIterator[tuple[DiscordServer, Bot, Person, int]]:
    """A server, the connected client, a person, and #general."""
    async with running() as (server, town), connected(server, Bot()) as bot:
        yield server, bot, Person(server, town.owner.id), town.general.id


async def test_logs_in_and_syncs(live):
    server, bot, _, _ = live
    assert bot.user.id == server.world.me.id
    assert [guild.name for guild in bot.guilds] == ["Town"]
    assert {command.name for command in bot.synced} == {command["name"] for command in server.commands.of_scope(None)}
    assert bot.shard_count == 1
    assert bot.latency < 5


async def test_a_slash_command_is_answered(live):
    _, _, owner, general = live
    reply = await owner.slash(general, "hello", {"name": "Olive"})
    assert (reply.state, reply.message.text, reply.message.ephemeral) == (State.ANSWERED, "hello Olive en-US", True)


async def test_every_type_of_option_arrives(live):
    server, _, owner, general = live
    role = next(
        role for role in server.world.guilds[server.world.channels[general].guild_id].roles.values() if role.managed
    )
    options = {"process": "x", "count": 5, "ratio": 0.5, "flag": True, "user": owner.id, "channel": general}
    options |= {"role": role.id, "kind": "Token"}
    reply = await owner.slash(general, "everything", options, files={"file": ("ids.txt", b"one two")})
    expected = ("x", 5, 0.5, True, "olive", "general", "Patchbell", "ids.txt", "one two", "token")
    assert (await reply.wait_final()).text == repr(expected)


async def test_suggests_while_one_types(live):
    _, _, owner, general = live
    assert await owner.autocomplete(general, "everything", {"process": "ab"}, "process") == [("Process ab", "abab")]


async def test_defers_edits_and_follows_up(live):
    _, _, owner, general = live
    reply = await owner.slash(general, "later")
    assert reply.message.ephemeral
    final = await reply.wait_until(lambda message: message.text == "2 of 2")
    second = await reply.wait_followup(2)
    assert (final.edited, reply.followups[0].ephemeral, second.text) == (True, True, "it was '2 of 2'")


async def test_a_dialog_is_filled_and_sent(live):
    _, _, owner, general = live
    modal = (await owner.slash(general, "ask")).modal
    assert [field.label for field in modal.fields] == ["Title", "Preset", "Yours?", "Sure?", "File"]
    values = {"Title": "State", "Preset": ["Token"], "Sure?": True, "File": [("ids.txt", b"ids")]}
    reply = await owner.submit(modal, values)
    assert (await reply.wait_final()).text == "('State', ['token'], 'mine') True ['ids']"
    assert not modal.open


async def test_a_select_is_chosen_from(live):
    _, _, owner, general = live
    message = (await owner.slash(general, "pick")).message
    reply = await owner.choose(message, "Which?", ["a", "c"])
    assert (await reply.wait_final()).text == "chose ['a', 'c']"
    assert not message.selects


async def test_a_message_command_gets_its_message(live):
    _, _, owner, general = live
    said = owner.say(general, "is this patched?")
    reply = await owner.message_command(general, said.id, "Look at this")
    assert reply.message.text == "olive said 'is this patched?'"


async def test_a_card_shows_its_files_and_buttons(live):
    _, _, owner, general = live
    message = (await owner.slash(general, "card")).message
    assert [(file.name, file.data) for file in message.files] == [("p.png", b"png"), ("t.csv", b"a,b")]
    assert message.link("Sign") == "https://patchbell.example/sign#x"
    assert (await (await owner.press(message, "Snooze 3")).wait_final()).text == "Snoozed for 3 days"
    assert message.text == "Snoozed for 3 days"


async def test_a_button_works_after_a_restart():
    async with running() as (server, town):
        owner = Person(server, town.owner.id)
        async with connected(server, Bot()):
            message = (await owner.slash(town.general.id, "card")).message
        with pytest.raises(TheBotDidNotAnswer, match="not connected"):
            await owner.press(message, "snooze:3")
        async with connected(server, Bot()):
            await (await owner.press(message, "snooze:3")).wait_final()
        assert message.text == "Snoozed for 3 days"


async def test_moderators_alone_are_offered_their_commands(live):
    server, _, owner, general = live
    moderator = next(Person(server, user.id) for user in server.world.users.values() if user.username == "mona")
    assert (await moderator.slash(general, "admin")).message.text == "True"
    with pytest.raises(NoSuchCommand):
        await owner.slash(general, "admin")
    with pytest.raises(NoSuchCommand):
        await moderator.slash(moderator.dm_channel(), "admin")
    assert (await owner.slash(owner.dm_channel(), "hello", {"name": "you"})).message.text == "hello you en-US"


async def test_a_user_install_reaches_the_bot_where_it_is_not(live):
    server, _, owner, _ = live
    elsewhere = server.world.add_guild("Elsewhere", server.world.owner, bot_permissions=None)
    server.world.add_member(elsewhere, owner.user)
    channel = server.world.add_channel(elsewhere, "chat").id
    with pytest.raises(NoSuchCommand):
        await owner.slash(channel, "hello", {"name": "x"})
    owner.install_app()
    assert (await owner.slash(channel, "hello", {"name": "x"})).message.text == "hello x en-US"


async def test_answering_twice_is_refused(live):
    _, _, owner, general = live
    reply = await owner.slash(general, "twice")
    await reply.wait_until(lambda message: message.text == "refused with 40060")


async def test_a_dm_arrives(live):
    _, bot, owner, _ = live
    user = await bot.fetch_user(owner.id)
    await user.send("hello", nonce="a" * 25)
    assert (await owner.wait_dm()).text == "hello"


async def test_a_lost_answer_does_not_double_a_message(live):
    server, bot, owner, _ = live
    channel = bot.get_partial_messageable(owner.dm_channel(), type=discord.ChannelType.private)
    server.faults.lose_reply(SEND)
    await channel.send("once", nonce="n1")
    server.faults.lose_reply(SEND, how=Loss.CUT)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await channel.send("twice", nonce="n2")
    await channel.send("twice", nonce="n2")
    assert [message.text for message in owner.messages(channel.id)] == ["once", "twice"]


async def test_closed_dms_are_refused(live):
    _, bot, owner, _ = live
    owner.close_dms()
    user = await bot.fetch_user(owner.id)
    with pytest.raises(discord.Forbidden) as refused:
        await user.send("hello")
    assert refused.value.code == 50007


async def test_a_short_rate_limit_is_waited_for_and_a_long_one_is_not(live):
    server, bot, owner, _ = live
    channel = bot.get_partial_messageable(owner.dm_channel(), type=discord.ChannelType.private)
    server.faults.rate_limit(SEND, 0.2)
    started = time.monotonic()
    await channel.send("short")
    assert time.monotonic() - started >= 0.2
    server.faults.rate_limit(SEND, 600)
    with pytest.raises(discord.RateLimited):
        await channel.send("long")
    server.faults.rate_limit(SEND, 0.2, via=False)
    with pytest.raises(discord.HTTPException) as banned:
        await channel.send("banned")
    assert banned.value.status == 429


async def test_the_buckets_are_followed_without_a_429(live):
    server, bot, owner, _ = live
    server.rate_limits.limits[SEND] = (5, 0.3)
    channel = bot.get_partial_messageable(owner.dm_channel(), type=discord.ChannelType.private)
    await asyncio.gather(*(channel.send(str(number)) for number in range(12)))
    statuses = [request.status for request in server.requests if request.route == SEND]
    assert statuses == [200] * 12


async def test_a_dropped_connection_is_resumed_and_nothing_is_missed(live):
    server, bot, owner, general = live
    server.gateway.drop()
    await owner.wait_bot(online=False)
    reply = await owner.slash(general, "hello", {"name": "again"})
    assert reply.message.text == "hello again en-US"
    await asyncio.wait_for(bot.resumed.wait(), 5)
    assert (server.gateway.identified, server.gateway.resumed) == (1, 1)
    assert server.gateway.resume_paths == ["/gateway/resume"]


@pytest.mark.slow  # discord.py itself waits five seconds
async def test_an_invalid_session_is_identified_anew(live):
    server, _, owner, general = live
    server.gateway.invalidate()
    await owner.wait_bot(online=False)
    await owner.wait_bot(online=True)
    assert (await owner.slash(general, "hello", {"name": "new"})).message.text == "hello new en-US"
    assert (server.gateway.identified, server.gateway.resumed) == (2, 0)


async def test_a_cut_line_is_resumed(live):
    server, bot, _, _ = live
    server.gateway.cut()
    await asyncio.wait_for(bot.resumed.wait(), 5)
    server.gateway.ask_reconnect()
    bot.resumed.clear()
    await asyncio.wait_for(bot.resumed.wait(), 5)


async def test_two_shards_share_the_guilds():
    async with running() as (server, town):
        server.gateway.shards = 2
        async with connected(server, Bot(shard_count=2)) as bot:
            assert sorted(bot.shards) == [0, 1]
            assert len(bot.guilds) == 1
            reply = await Person(server, town.owner.id).slash(town.general.id, "hello", {"name": "x"})
            assert reply.message.text == "hello x en-US"


async def test_a_wrong_token_is_refused():
    async with running() as (server, _):
        bot = Bot()
        with pointed_at(server), pytest.raises(discord.LoginFailure):
            await bot.login("wrong")
        await bot.close()
        assert [request.status for request in server.requests] == [401]


@pytest.mark.slow  # the three seconds are real
async def test_silence_is_seen_after_three_seconds(live):
    _, _, owner, general = live
    with pytest.raises(TheBotDidNotAnswer, match="did not respond"):
        await owner.slash(general, "silent")
