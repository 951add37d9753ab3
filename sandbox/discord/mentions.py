"""Whom a message pings (docs: resources/message.mdx, "Allowed Mentions")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.discord.errors import Form, Json

USER = re.compile(r"<@!?(\d{15,20})>")
ROLE = re.compile(r"<@&(\d{15,20})>")
EVERYONE = re.compile(r"@(everyone|here)\b")
KINDS = ("roles", "users", "everyone")
NAMED = 100


@dataclass(frozen=True, slots=True)
class Pings:
    """User ids, role ids, and whether everybody."""

    users: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()
    everyone: bool = False


def check_allowed(form: Form, allowed: object) -> None:
    """Note what is wrong with `allowed_mentions`."""
    if allowed is None:
        return
    if not isinstance(allowed, Mapping):
        form.wrong(["allowed_mentions"], "MODEL_TYPE_CONVERT", "Only dictionaries may be used")
        return
    parse = allowed.get("parse") or []
    for index, kind in enumerate(parse):
        if kind not in KINDS:
            words = f"Value must be one of {KINDS}."
            form.wrong(["allowed_mentions", "parse", index], "BASE_TYPE_CHOICES", words)
    for kind in ("users", "roles"):
        named = allowed.get(kind) or []
        form.items(["allowed_mentions", kind], named, at_most=NAMED)
        if kind in parse and named:
            words = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            form.wrong(["allowed_mentions"], "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", words)


def find_pings(texts: Sequence[str], allowed: Json | None, *, may_ping_everyone: bool) -> Pings:
    """Read the mentions out of a message's texts, and keep those that are allowed: all, where nothing is said."""
    text = "\n".join(texts)
    users = dict.fromkeys(int(found) for found in USER.findall(text))
    roles = dict.fromkeys(int(found) for found in ROLE.findall(text))
    everyone = bool(EVERYONE.search(text))
    if allowed is not None:
        parse = allowed.get("parse") or []
        named_users = {int(each) for each in allowed.get("users") or ()}
        named_roles = {int(each) for each in allowed.get("roles") or ()}
        users = {each: None for each in users if "users" in parse or each in named_users}
        roles = {each: None for each in roles if "roles" in parse or each in named_roles}
        everyone = everyone and "everyone" in parse
    return Pings(tuple(users), tuple(roles), everyone and may_ping_everyone)
