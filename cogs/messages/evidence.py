"""The evidence of a look, one line for each answer of a node: for those who want to know it exactly."""

from __future__ import annotations

from yarl import URL

from bot.domain.card import Sighting, StatusCard
from cogs.messages.language import _, ngettext
from cogs.messages.text import code


def host(node: str) -> str:
    """Give a node's host, as people know it."""
    url = URL(node)
    host = url.host or node
    return host if url.is_default_port() or url.port is None else f"{host}:{url.port}"


def evidence(card: StatusCard, at_most: int = 6) -> list[str]:
    """Give one line for each answer of a node, as the evidence has them."""
    shown = [_answer(each, card.process) for each in card.evidence[:at_most]]
    rest = len(card.evidence) - len(shown)
    more = ngettext("and {number:,} more answer", "and {number:,} more answers", rest)
    return [*shown, *([more] if rest > 0 else [])]


def _answer(each: Sighting, process: str) -> str:
    where = f"{code(host(each.node), 40)} {code(_tail(each.path, process), 50)}: {code(each.reason, 60)}"
    if each.status is None:
        return _("{answer} (no answer, {elapsed:,} ms)", answer=where, elapsed=each.elapsed_ms)
    return _("{answer} ({status}, {elapsed:,} ms)", answer=where, status=each.status, elapsed=each.elapsed_ms)


def _tail(path: str, process: str) -> str:
    return path.split(f"{process}~process@1.0", 1)[-1] or "/"
