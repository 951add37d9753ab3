"""How the bot answers interactions: callbacks, follow-ups, edits (docs: receiving-and-responding.mdx)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum

from sandbox.discord import wire
from sandbox.discord.bodies import SENDABLE, Body, Draft, read_draft
from sandbox.discord.command_rules import CHOICES, OptionType, check_choices
from sandbox.discord.commands import GUILD_INSTALL
from sandbox.discord.errors import Form, Json, errors_below, refusal
from sandbox.discord.interactions import Interaction, Interactions, State, Type
from sandbox.discord.modals import check_modal
from sandbox.discord.models import Flag, Message
from sandbox.discord.publishing import create_message, edit_message
from sandbox.discord.world import World

FOLLOWUPS_OF_USER_INSTALL = 5


class Callback(IntEnum):
    """Kinds of first answer."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


_NEW = {Callback.MESSAGE, Callback.DEFERRED_MESSAGE}
_OLD = {Callback.DEFERRED_UPDATE, Callback.UPDATE}
_ALLOWED = {
    Type.COMMAND: _NEW | {Callback.MODAL},
    Type.COMPONENT: _NEW | _OLD | {Callback.MODAL},
    Type.AUTOCOMPLETE: {Callback.CHOICES},
    Type.MODAL: _NEW | _OLD,
}

# What an edit of the original makes of the state.
_EDITED = {State.DEFERRED: State.ANSWERED, State.ACKNOWLEDGED: State.UPDATED}


class Answering:
    """Takes the bot's answers. Every method raises ApiError where Discord refuses."""

    def __init__(self, world: World, interactions: Interactions) -> None:
        self._world = world
        self._interactions = interactions
        self._take: Mapping[Callback, Callable[[Interaction, Body], None]] = {
            Callback.MESSAGE: self._answer,
            Callback.DEFERRED_MESSAGE: self._defer,
            Callback.DEFERRED_UPDATE: self._acknowledge,
            Callback.UPDATE: self._update,
            Callback.CHOICES: self._choices,
            Callback.MODAL: self._open_modal,
        }

    # The first answer

    def callback(self, interaction_id: int, token: str, body: Body) -> Json:
        """Take a first answer; give the `with_response` JSON."""
        interaction = self._interactions.get(interaction_id)
        if interaction is None or interaction.token != token:
            raise refusal(10062)
        if interaction.state not in (State.WAITING, State.FAILED):
            raise refusal(40060)
        if self._interactions.is_late(interaction):
            raise refusal(10062)
        kind = self._kind(interaction, body.json)
        with errors_below("data"):
            self._take[kind](interaction, Body(body.json.get("data") or {}, body.files))
        return self._response(interaction, kind)

    def _kind(self, interaction: Interaction, given: Json) -> Callback:
        allowed = _ALLOWED[interaction.type]
        if interaction.type is Type.MODAL and interaction.source is None:
            allowed = allowed - _OLD  # there is no message that could be updated
        if given.get("type") in allowed:
            return Callback(given["type"])
        form = Form()
        form.wrong(["type"], "BASE_TYPE_CHOICES", f"Value must be one of {tuple(sorted(map(int, allowed)))}.")
        form.done()
        raise AssertionError("a faulty form is refused")

    def _answer(self, interaction: Interaction, body: Body) -> None:
        draft = self._draft(body, settable=SENDABLE | Flag.EPHEMERAL)
        interaction.original = self._post(interaction, draft, interaction.reply_type)
        self._interactions.enter(interaction, State.ANSWERED)

    def _defer(self, interaction: Interaction, body: Body) -> None:
        ephemeral = int(body.json.get("flags") or 0) & Flag.EPHEMERAL
        draft = Draft("", None, None, Flag.LOADING | ephemeral, None, (), None)
        interaction.original = self._post(interaction, draft, interaction.reply_type)
        self._interactions.enter(interaction, State.DEFERRED)

    def _acknowledge(self, interaction: Interaction, _: Body) -> None:
        interaction.original = interaction.source
        self._interactions.enter(interaction, State.ACKNOWLEDGED)

    def _open_modal(self, interaction: Interaction, body: Body) -> None:
        self._interactions.open_modal(interaction, check_modal(body.json))

    def _update(self, interaction: Interaction, body: Body) -> None:
        message = interaction.source
        if message is None or message.deleted:
            raise refusal(10008)
        edit_message(self._world, message, self._draft(body, current=message))
        interaction.original = message
        self._interactions.enter(interaction, State.UPDATED)

    def _choices(self, interaction: Interaction, body: Body) -> None:
        form, choices = Form(), body.json.get("choices")
        kind = next((each["type"] for each in _flat(interaction.data) if each.get("focused")), OptionType.STRING)
        if form.items(["choices"], choices, at_most=CHOICES):
            check_choices(form, list(choices or ()), kind, ["choices"])
        form.done()
        interaction.choices = list(choices or ())
        self._interactions.enter(interaction, State.CHOICES)

    def _response(self, interaction: Interaction, kind: Callback) -> Json:
        message = interaction.original
        about: Json = {"id": str(interaction.id), "type": int(interaction.type)}
        if message is not None:
            about |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.is_loading,
                "response_message_ephemeral": message.only_for is not None,
            }
        resource: Json = {"type": int(kind)}
        if kind in (Callback.MESSAGE, Callback.UPDATE, Callback.DEFERRED_MESSAGE) and message is not None:
            resource["message"] = self.as_json(message)
        return {"interaction": about, "resource": resource}

    # Later, by the token

    def followup(self, token: str, body: Body) -> Json:
        """Post one more message; right after a deferral it fills the loading one."""
        interaction = self._answered(token)
        if interaction.state is State.DEFERRED and interaction.original is not None and interaction.original.is_loading:
            return self.edit(token, "@original", body)
        only_user_install = str(GUILD_INSTALL) not in interaction.owners
        if only_user_install and len(interaction.followups) >= FOLLOWUPS_OF_USER_INSTALL:
            raise refusal(40094)
        draft = self._draft(body, settable=SENDABLE | Flag.EPHEMERAL)
        message = self._post(interaction, draft, 19 if interaction.original else 0)
        interaction.followups.append(message)
        interaction.moved()
        return self.as_json(message)

    def read(self, token: str, which: str) -> Json:
        """Give one of its messages; `which` is an id or `@original`."""
        return self.as_json(self._message(self._answered(token), which))

    def edit(self, token: str, which: str, body: Body) -> Json:
        """Edit one of its messages."""
        interaction = self._answered(token)
        message = self._message(interaction, which)
        edit_message(self._world, message, self._draft(body, current=message))
        if message is interaction.original and interaction.state in _EDITED:
            self._interactions.enter(interaction, _EDITED[interaction.state])
        interaction.moved()
        return self.as_json(message)

    def delete(self, token: str, which: str) -> None:
        """Delete one of its messages."""
        interaction = self._answered(token)
        self._world.delete(self._message(interaction, which))
        if interaction.state is State.DEFERRED:
            self._interactions.enter(interaction, State.ACKNOWLEDGED)
        interaction.moved()

    def as_json(self, message: Message) -> Json:
        """Give a message as Discord tells it to the bot."""
        return wire.message(message, self._world.users)

    def _answered(self, token: str) -> Interaction:
        interaction = self._interactions.with_token(token)
        if interaction is None or interaction.state in (State.WAITING, State.FAILED):
            raise refusal(10015)
        if self._interactions.is_expired(interaction):
            raise refusal(50027)
        return interaction

    def _message(self, interaction: Interaction, which: str) -> Message:
        if which == "@original":
            found = interaction.original
        else:
            mine = [interaction.original, interaction.source, *interaction.followups]
            found = next((each for each in mine if each is not None and str(each.id) == which), None)
        if found is None or found.deleted:
            raise refusal(10008)
        return found

    def _post(self, interaction: Interaction, draft: Draft, type: int) -> Message:
        return create_message(
            self._world,
            draft,
            author=self._world.me,
            channel=interaction.channel,
            type=type,
            via=interaction.via(),
            webhook_id=self._world.application_id,
            only_for=interaction.user.id if draft.flags & Flag.EPHEMERAL else None,
            reply_to=interaction.source.id if type == 19 and interaction.source else None,
        )

    def _draft(self, body: Body, *, settable: int = SENDABLE, current: Message | None = None) -> Draft:
        return read_draft(body, file_limit=self._world.attachment_size_limit, settable=settable, current=current)


def _flat(data: Json) -> list[Json]:
    """Give all options of a command's data, nested ones too."""
    options = list(data.get("options") or ())
    return options + [inner for option in options for inner in _flat(option)]
