"""Reads the body of a message, new or edited, and refuses what Discord refuses (docs: resources/message.mdx)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web

from sandbox.discord.controls import Kind
from sandbox.discord.embeds import check_embeds
from sandbox.discord.errors import ApiError, Form, Json, refusal
from sandbox.discord.layouts import check_components, walk
from sandbox.discord.mentions import check_allowed
from sandbox.discord.models import Flag, Message, safe_name

CONTENT = 2000
FILES = 10
NONCE = 25
REQUEST_SIZE = 25 << 20
FILE_FIELD = re.compile(r"files\[(\d{1,2})\]")
LEGACY_FIELDS = ("content", "embeds", "sticker_ids", "poll")
SENDABLE = Flag.SUPPRESS_EMBEDS | Flag.SUPPRESS_NOTIFICATIONS | Flag.COMPONENTS_V2


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a request, under its number."""

    name: str
    data: bytes
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """What a request brought: its JSON, and its files by their number."""

    json: Json
    files: Mapping[int, Upload] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message body that passed. None: the field was not given, so an edit leaves it as it is.

    `kept`: ids of attachments that stay (None: all); `files`: new ones, with their descriptions.
    """

    content: str | None
    embeds: list[Json] | None
    components: list[Json] | None
    flags: int
    allowed_mentions: Json | None
    files: tuple[tuple[Upload, str | None], ...]
    kept: frozenset[int] | None

    @property
    def texts(self) -> list[str]:
        """All texts in which a mention pings."""
        return [self.content or "", *text_of(self.components or ())]


def text_of(components: Collection[Json]) -> list[str]:
    """Give the texts displayed by components."""
    return [component["content"] for component in walk(list(components)) if component["type"] == Kind.TEXT]


async def read_body(request: web.Request) -> Body:
    """Read JSON, or multipart with `payload_json` and `files[n]` (docs: reference.mdx, "Uploading Files")."""
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    raw = await request.read()
    return Body(_parse(raw) if raw else {})


def _parse(raw: bytes | str) -> Json:
    try:
        given = json.loads(raw)
    except ValueError:
        raise refusal(50109) from None
    return given if isinstance(given, dict) else {"": given}


async def _read_multipart(request: web.Request) -> Body:
    payload: Json = {}
    files: dict[int, Upload] = {}
    size = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise refusal(50109)
        data = bytes(await part.read())
        size += len(data)
        if size > REQUEST_SIZE:
            raise refusal(40005)
        number = FILE_FIELD.fullmatch(part.name or "")
        if part.name == "payload_json":
            payload = _parse(data)
        elif number is not None:
            name = safe_name(part.filename or "")
            files[int(number.group(1))] = Upload(name, data, part.headers.get("Content-Type"))
    return Body(payload, files)


def read_draft(body: Body, *, file_limit: int, settable: int = SENDABLE, current: Message | None = None) -> Draft:
    """Check a message's body, for a new message or an edit of `current`. Raises ApiError.

    `settable` are the flags that this route lets one set: others are ignored, as Discord does.
    """
    given = body.json
    form = Form()
    flags = _read_flags(form, given.get("flags"), settable)
    v2 = bool(flags & Flag.COMPONENTS_V2) or (current is not None and current.is_v2)
    if v2:
        flags |= Flag.COMPONENTS_V2
        _refuse_legacy(form, given, current)
    files = _read_files(form, body, file_limit)
    kept = _read_kept(given, current)
    staying = [each for each in current.attachments if kept is None or each.id in kept] if current else []
    content = given.get("content")
    if content is not None:
        form.text(["content"], content, at_most=CONTENT)
    embeds = None if "embeds" not in given or v2 else check_embeds(form, given["embeds"] or [])
    components = None
    if "components" in given:
        names = {upload.name for upload, _ in files} | {attachment.name for attachment in staying}
        if form.items(["components"], given["components"] or [], at_most=1000):
            components = check_components(form, given["components"] or [], v2=v2, files=names)
    check_allowed(form, given.get("allowed_mentions"))
    form.items(["attachments"], [*staying, *files], at_most=FILES)
    form.done()
    draft = Draft(
        content=(content or "") if "content" in given else None,
        embeds=embeds,
        components=components,
        flags=flags,
        allowed_mentions=given.get("allowed_mentions"),
        files=files,
        kept=kept,
    )
    _refuse_empty(draft, current, bool(staying))
    return draft


def _read_flags(form: Form, flags: object, settable: int) -> int:
    if flags is None:
        return 0
    if isinstance(flags, bool) or not isinstance(flags, int) or flags < 0:
        form.wrong(["flags"], "NUMBER_TYPE_COERCE", "Value is not int.")
        return 0
    return flags & settable


def _refuse_legacy(form: Form, given: Json, current: Message | None) -> None:
    """Refuse texts beside V2 components. A message that becomes V2 by an edit must give up its own, by null or []."""
    for name in LEGACY_FIELDS:
        left_over = current is not None and not current.is_v2 and name not in given and getattr(current, name, None)
        if given.get(name) or left_over:
            words = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            form.wrong([name], "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", words)


def _read_files(form: Form, body: Body, limit: int) -> tuple[tuple[Upload, str | None], ...]:
    """Give the new files with the descriptions that `attachments` has for their numbers."""
    if any(len(upload.data) > limit for upload in body.files.values()):
        raise refusal(40005)
    about: dict[int, Json] = {}
    attachments = body.json.get("attachments") or []
    for index, attachment in enumerate(attachments if isinstance(attachments, list) else ()):
        number = attachment.get("id") if isinstance(attachment, dict) else None
        if not str(number).isdigit():
            form.wrong(["attachments", index, "id"], "NUMBER_TYPE_COERCE", "Value is not snowflake.")
        elif int(str(number)) < FILES:
            about[int(str(number))] = attachment
            if int(str(number)) not in body.files:
                words = "The referenced attachment was not found"
                form.wrong(["attachments", index], "ATTACHMENT_NOT_FOUND", words)
    return tuple(
        (upload, (about.get(number) or {}).get("description")) for number, upload in sorted(body.files.items())
    )


def _read_kept(given: Json, current: Message | None) -> frozenset[int] | None:
    """Give the ids of attachments that an edit keeps. From API v10 on, those left out of the list go."""
    if current is None or given.get("attachments") is None:
        return None
    ids = (str(attachment.get("id", "")) for attachment in given["attachments"] if isinstance(attachment, dict))
    return frozenset(int(each) for each in ids if each.isdigit() and int(each) >= FILES)


def _refuse_empty(draft: Draft, current: Message | None, staying: bool) -> None:
    """Refuse a message in which nothing would be left to see. What an edit does not name stays."""
    content, embeds, components = draft.content, draft.embeds, draft.components
    if current is not None:
        content = current.content if content is None else content
        embeds = current.embeds if embeds is None else embeds
        components = current.components if components is None else components
    if not (staying or draft.files or components or (content or "").strip() or embeds):
        raise refusal(50006)


def check_nonce(nonce: object) -> None:
    """Refuse a nonce that is not a text of at most 25 characters or a 64-bit number."""
    if nonce is None or (isinstance(nonce, int) and not isinstance(nonce, bool) and abs(nonce) < 1 << 63):
        return
    form = Form()
    form.text(["nonce"], nonce, at_most=NONCE)
    form.done()


def too_large(error: Exception) -> ApiError | None:
    """Give the refusal for a body over the web server's own limit."""
    return refusal(40005) if isinstance(error, web.HTTPRequestEntityTooLarge) else None
