"""What Discord demands of embeds (docs: resources/message.mdx, "Embed Limits")."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.discord.controls import check_url
from sandbox.discord.errors import Form, Json, Path

EMBEDS = 10
CHARACTERS = 6000
FIELDS = 25
_TEXTS = (("title", 256), ("description", 4096))
_INNER = (("footer", "text", 2048), ("author", "name", 256))
_FIELD = (("name", 256), ("value", 1024))


def check_embeds(form: Form, embeds: object) -> list[Json]:
    """Note all that is wrong with a message's embeds; give them as they are stored, as `rich` ones."""
    if not form.items(["embeds"], embeds, at_most=EMBEDS) or not isinstance(embeds, list):
        return []
    size = sum(_check(form, embed, ["embeds", index]) for index, embed in enumerate(embeds))
    if size > CHARACTERS:
        form.wrong(["embeds"], "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {CHARACTERS}")
    return [{**embed, "type": "rich"} for embed in embeds if isinstance(embed, dict)]


def _check(form: Form, embed: object, path: Path) -> int:
    """Check one embed; give how many characters count towards the total. Whitespace around a text does not."""
    if not isinstance(embed, dict):
        form.wrong(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return 0
    texts: list[str] = []
    for name, most in _TEXTS:
        texts.append(_text(form, embed.get(name), [*path, name], most))
    for outer, name, most in _INNER:
        if embed.get(outer) is not None:
            texts.append(_text(form, embed[outer].get(name), [*path, outer, name], most))
    texts.extend(_fields(form, embed.get("fields"), [*path, "fields"]))
    for holder in ("image", "thumbnail"):
        url = (embed.get(holder) or {}).get("url")
        if url and not str(url).startswith("attachment://"):
            check_url(form, [*path, holder, "url"], str(url))
    if embed.get("url"):
        check_url(form, [*path, "url"], str(embed["url"]))
    return sum(map(len, texts))


def _fields(form: Form, fields: object, path: Path) -> Sequence[str]:
    if fields is None or not form.items(path, fields, at_most=FIELDS) or not isinstance(fields, list):
        return ()
    texts: list[str] = []
    for index, field in enumerate(fields):
        for name, most in _FIELD:
            given = field.get(name)
            form.text(
                [*path, index, name], given.strip() if isinstance(given, str) else given, at_least=1, at_most=most
            )
            texts.append(str(given or "").strip())
    return texts


def _text(form: Form, given: object, path: Path, at_most: int) -> str:
    if given is None:
        return ""
    text = given.strip() if isinstance(given, str) else given
    form.text(path, text, at_most=at_most)
    return str(text)
