"""People's actions as JSON, for the sandbox's page: `add_routes(app, server)` puts them under `/sandbox/discord/`.

All ids are strings, as in Discord's own API. `person` is a user's id. Every POST takes and gives `application/json`.

    GET  state?person=P               → State, as P sees it
    GET  feed?person=P                → server-sent events, one `data: Event` each: what P sees. Without `person`: all
    GET  commands?person=P&channel=C  → [Command], those that P's client would offer there
    GET  messages?person=P&channel=C  → [Message], oldest first, the 100 newest
    GET  files/{attachment}/{name}    → the bytes of an attachment, from the page's own origin
    POST slash            {person, channel, command, options: {name: value}, files?: {name: File}}         → Reply
    POST autocomplete     {person, channel, command, options: {name: typed}, focused: name} → {choices: [{name, value}]}
    POST press            {person, message, button: custom_id or label}                                    → Reply
    POST choose           {person, message, select: custom_id or placeholder, values: [value, …]}          → Reply
    POST submit           {person, modal: Modal.id, values: {custom_id or label: value}}                   → Reply
    POST message-command  {person, channel, message, command}                                              → Reply
    POST say              {person, channel, content}                                             → {message: Message}
    POST dismiss          {person, message}: an ephemeral message goes off the screen                      → {}
    POST dismiss-modal    {person, modal}: the dialog is closed without sending it                         → {}
    POST open-dm          {person}: the DM with the bot, as by a click on its name               → {channel: Channel}
    POST dms              {person, closed: bool}: the privacy switch of the client                         → {}

A POST answers when the bot has answered, at most about 3 seconds later; what comes after that (a deferred answer's
text, edits, follow-ups) comes through `feed`.

State    {bot: {id, name, online}, me: Person|null, people: [Person], guilds: [{id, name, channels: [Channel]}],
          dms: [Channel], modals: [Modal]}
Person   {id, name, username, locale, dms_closed}
Channel  {id, name, type: "text"|"announcement"|"thread"|"dm", topic, with: name of the other side of a dm or null,
          messages: [Message] oldest first, the 100 newest}
Message  {id, channel, author: {id, name, bot}, content, components: [Component], embeds: [Discord's embed objects],
          files: [{id, name, size, url, content_type}], ephemeral: bool, only_for: person id or null,
          loading: bool ("Patchbell is thinking…"), edited: bool, at: ISO 8601 UTC,
          mentions: [ids of those it pings], mentions_everyone: bool,
          via: {user: name, command: name or null} or null (the line above an answer to a command),
          reply_to: message id or null}
Component  Discord's own component objects (developers/components/reference.mdx), nested, with their `type`,
          `custom_id`, `label`, `style`, `disabled`, `options`…; addresses of attachments are already `files/…` ones
Command  {name ("group sub" where nested), type: 1 slash | 3 message, description,
          options: [{name, type: Discord's number, description, required, autocomplete, choices: [{name, value}],
                     min_length, max_length, min_value, max_value}]}, absent limits null
File     {name, data: base64}
Modal    {id, person, title, fields: [{custom_id, label, description, type: Discord's component number, style, value,
          placeholder, required, min_length, max_length, min_values, max_values,
          options: [{label, value, description, default}]}], texts: [markdown shown between fields]}
          values in `submit`: text, radio and single choices a string; selects and checkbox groups a list; a checkbox a
          bool; a file upload a list of File; users, channels and roles a list of ids
Reply    {interaction, state, message: Message|null, followups: [Message], modal: Modal|null}
          state "deferred" (message.loading) | "answered" | "acknowledged" (nothing to show) |
          "updated" (the message pressed was edited) | "modal"
Event    {type: "message", message: Message}   new or edited: replace by id
         {type: "message_deleted", id, channel, only_for}
         {type: "interaction", id, person, state, name (of the command, or the custom_id)}   also "waiting", "failed"
         {type: "modal", modal: Modal}         a dialog opened for `modal.person`
         {type: "modal_closed", id, person}
         {type: "bot", online: bool}
         {type: "channel", channel: id}        a channel or DM appeared: fetch `state`

Refusals are 400 {error: one sentence for the person, kind: class name in refusals.py}; 504 with kind
"TheBotDidNotAnswer".
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from sandbox.discord import people_json as shape
from sandbox.discord.errors import Json
from sandbox.discord.events import Watch
from sandbox.discord.people import Person, Reply
from sandbox.discord.refusals import ClientRefused, NoModal, NotVisible, TheBotDidNotAnswer
from sandbox.discord.resolving import File
from sandbox.discord.seen import Modal
from sandbox.discord.server import DiscordServer

ROOT = "/sandbox/discord"
HEARTBEAT = 15.0
Action = Callable[[Person, Json], Awaitable[Json]]


def add_routes(app: web.Application, server: DiscordServer) -> None:
    """Add all of the above to an application. `server` need not have started yet."""
    routes = _Routes(server)
    gets = {"state": routes.state, "feed": routes.feed, "commands": routes.commands, "messages": routes.messages}
    app.add_routes([web.get(f"{ROOT}/{name}", handler) for name, handler in gets.items()])
    app.add_routes([web.get(f"{ROOT}/files/{{attachment}}/{{name}}", routes.file)])
    app.add_routes([web.post(f"{ROOT}/{name}", routes.act(action)) for name, action in _ACTIONS.items()])


class _Routes:
    def __init__(self, server: DiscordServer) -> None:
        self._server = server

    def _person(self, given: object) -> Person:
        if not str(given).isdigit() or int(str(given)) not in self._server.world.users:
            raise NotVisible("There is nobody of that id.")
        return Person(self._server, int(str(given)))

    async def state(self, request: web.Request) -> web.Response:
        person = request.query.get("person")
        return _answer(lambda: shape.state(self._server, self._person(person) if person else None))

    async def commands(self, request: web.Request) -> web.Response:
        query = request.query
        return _answer(lambda: shape.commands(self._person(query.get("person")).commands(_number(query, "channel"))))

    async def messages(self, request: web.Request) -> web.Response:
        def read() -> list[Json]:
            person = self._person(request.query.get("person"))
            person.messages(_number(request.query, "channel"))  # refuses what the person does not see
            return shape.messages(self._server, _number(request.query, "channel"), person.id)

        return _answer(read)

    async def file(self, request: web.Request) -> web.Response:
        attachment = self._server.world.attachments.get(_number(request.match_info, "attachment"))
        if attachment is None:
            raise web.HTTPNotFound
        # Never as something that a browser would run in the page's own origin.
        safe = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
        kind = attachment.content_type or "application/octet-stream"
        return web.Response(body=attachment.data, content_type=kind.partition(";")[0], headers=safe)

    async def feed(self, request: web.Request) -> web.StreamResponse:
        given = request.query.get("person")
        person = int(given) if given and given.isdigit() else None
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        with self._server.events.watch() as watch:
            try:
                await response.write(b": hello\n\n")
                while (line := await self._next(watch, person)) is not None:
                    await response.write(line)
            except ConnectionError:
                pass  # the page was closed
        return response

    async def _next(self, watch: Watch, person: int | None) -> bytes | None:
        try:
            async with asyncio.timeout(HEARTBEAT):
                event = await watch.next()
        except TimeoutError:
            return b": still here\n\n"
        if event is None:
            return None
        said = shape.event(self._server, event, person)
        return f"data: {json.dumps(said)}\n\n".encode() if said is not None else b""

    def act(self, action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Make a handler of an action: read the JSON, act, and say a refusal as one sentence."""

        async def handle(request: web.Request) -> web.Response:
            try:
                given = await request.json()
                return web.json_response(await action(self._person(given["person"]), given))
            except ClientRefused as refused:
                return _refused(refused)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                return web.json_response(
                    {"error": f"{type(error).__name__}: {error}", "kind": "BadRequest"}, status=400
                )

        return handle


def _answer(read: Callable[[], Any]) -> web.Response:
    try:
        return web.json_response(read())
    except ClientRefused as refused:
        return _refused(refused)


def _refused(refused: ClientRefused) -> web.Response:
    status = 504 if isinstance(refused, TheBotDidNotAnswer) else 400
    return web.json_response({"error": str(refused), "kind": type(refused).__name__}, status=status)


def _number(given: Mapping[str, Any], name: str) -> int:
    value = str(given.get(name, ""))
    return int(value) if value.isdigit() else 0


def _file(given: Json) -> File:
    try:
        return str(given["name"]), base64.b64decode(given["data"], validate=True)
    except binascii.Error:
        raise ValueError("a file's data is not base64") from None


def _modal(person: Person, given: Json) -> Modal:
    interaction = person.server.interactions.get(_number(given, "modal"))
    if interaction is None or interaction.user is not person.user:
        raise NoModal("This dialog is not open.")
    return Modal(interaction)


def _values(modal: Modal, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give a dialog's values with files decoded."""

    def value(one: Any) -> Any:
        return [_file(each) if isinstance(each, dict) else each for each in one] if isinstance(one, list) else one

    return {name: value(one) for name, one in given.items()}


def _reply(person: Person, reply: Reply) -> Json:
    return shape.reply(person.server, reply.interaction)


async def _slash(person: Person, given: Json) -> Json:
    files = {name: _file(file) for name, file in (given.get("files") or {}).items()}
    options = given.get("options") or {}
    return _reply(person, await person.slash(_number(given, "channel"), given["command"], options, files=files))


async def _autocomplete(person: Person, given: Json) -> Json:
    where, options = _number(given, "channel"), given.get("options") or {}
    choices = await person.autocomplete(where, given["command"], options, given["focused"])
    return {"choices": [{"name": name, "value": value} for name, value in choices]}


async def _press(person: Person, given: Json) -> Json:
    return _reply(person, await person.press(_number(given, "message"), given["button"]))


async def _choose(person: Person, given: Json) -> Json:
    return _reply(person, await person.choose(_number(given, "message"), given["select"], given["values"]))


async def _submit(person: Person, given: Json) -> Json:
    modal = _modal(person, given)
    return _reply(person, await person.submit(modal, _values(modal, given["values"])))


async def _message_command(person: Person, given: Json) -> Json:
    channel, message = _number(given, "channel"), _number(given, "message")
    return _reply(person, await person.message_command(channel, message, given["command"]))


async def _say(person: Person, given: Json) -> Json:
    said = person.say(_number(given, "channel"), str(given["content"]))
    return {"message": shape.message(said.message)}


async def _dismiss(person: Person, given: Json) -> Json:
    person.dismiss(_number(given, "message"))
    return {}


async def _dismiss_modal(person: Person, given: Json) -> Json:
    person.dismiss_modal(_modal(person, given))
    return {}


async def _open_dm(person: Person, _: Json) -> Json:
    channel = person.world.channels[person.dm_channel()]
    return {"channel": shape.channel(person.server, channel, person.id)}


async def _dms(person: Person, given: Json) -> Json:
    person.close_dms(bool(given["closed"]))
    return {}


_ACTIONS: Mapping[str, Action] = {
    "slash": _slash,
    "autocomplete": _autocomplete,
    "press": _press,
    "choose": _choose,
    "submit": _submit,
    "message-command": _message_command,
    "say": _say,
    "dismiss": _dismiss,
    "dismiss-modal": _dismiss_modal,
    "open-dm": _open_dm,
    "dms": _dms,
}
