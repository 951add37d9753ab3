"""The words for what was seen: which key, on which nodes, how far behind, stuck or not, what is exposed instead."""

from __future__ import annotations

from collections.abc import Sequence

from yarl import URL

from bot.domain.card import Blocked, NoSignLink, Outcome, Role, StatusCard
from bot.domain.observation import Verdict
from bot.domain.verdict import Judgement, Reason
from cogs.messages.text import ago, code, codes, count, named

MOVES_NO_TOKENS = "That moves no tokens."

_UNKNOWN = {
    Reason.NO_ANSWER: "no node answered for it",
    Reason.NODES_DOWN: "none of my nodes answers at the moment",
    Reason.COMPUTING: "a node is still computing it, which can take a while for an old process",
    Reason.UNSCHEDULED: "nothing has been sent to it yet, so there is nothing to read",
    Reason.STUCK: "it fails to compute its newest messages, so nodes can't tell",
    Reason.NOT_KNOWN_HERE: "none of my nodes knows it",
    Reason.TOO_YOUNG: "it was spawned so recently that gateways don't list it yet",
    Reason.TAGS_UNKNOWN: "no gateway could tell me how it was spawned, and without that I can't be sure",
    Reason.NOT_A_PROCESS: "the gateway knows this id, but not as an AO process",
}

_NO_LINK = {
    NoSignLink.NO_PUBLIC_URL: "I have no signing page yet: whoever runs this bot has to give it an https address.",
    NoSignLink.WATCHING: "You just watch this one; only its owner can sign.",
}


WHY_BLOCKED = {
    Blocked.LOST_WALLET: "the wallet is lost",
    Blocked.NOT_MINE_TO_SIGN: "it is not yours to sign",
    Blocked.OWNED_BY_APP: "an app owns it, so its developers must act",
    Blocked.REFUSED: "the network refused your message",
    Blocked.OTHER: "something is in the way",
}


def headline(card: StatusCard) -> str:
    """Give the person's situation in one bold sentence and what it means."""
    name = of_card(card)
    if card.status is Verdict.PATCHED:
        return f"**Patched:** {name}. Apps can read its state."
    if card.status is Verdict.NOT_PATCHED:
        return f"**Not patched yet:** {name}. Apps can't read it until its owner signs one message. {MOVES_NO_TOKENS}"
    if card.status is Verdict.NOT_FOUND:
        return f"**No process has this id:** {name}. I asked every gateway and node. Please compare the id."
    turning = _turning(card)
    if turning is not None:
        return f"**{turning}:** {name}."
    doing = "I keep trying, and won't remind you meanwhile." if card.registration_id else "Please try again later."
    return (
        f"**I could not tell** whether {name} is patched: {why_unknown(card.latest)}. That is not your fault. {doing}"
    )


def _turning(card: StatusCard) -> str | None:
    """Give the words for a first look that still waits for its confirmation."""
    if card.latest is None or card.latest.verdict in (Verdict.UNKNOWN, card.status):
        return None
    return {
        Verdict.PATCHED: "Looks patched",
        Verdict.NOT_PATCHED: "Looks not patched yet",
        Verdict.NOT_FOUND: "Nobody seems to know this id",
    }.get(card.latest.verdict)


def short_state(card: StatusCard) -> str:
    """Give the state in two or three words, for lists."""
    if card.status is Verdict.UNKNOWN:
        return (_turning(card) or "could not tell").lower()
    if card.status is Verdict.NOT_PATCHED and card.blocked is not None:
        return "not patched, and you can't sign"
    return {
        Verdict.PATCHED: "patched",
        Verdict.NOT_PATCHED: "not patched yet",
        Verdict.NOT_FOUND: "no such process",
    }[card.status]


def of_card(card: StatusCard) -> str:
    """Name the card's process."""
    return named(card.process, card.label, card.metadata.name if card.metadata else None)


def why_unknown(judgement: Judgement | None) -> str:
    """Give the reason of an unknown, to follow a colon."""
    if judgement is None:
        return "I haven't looked yet"
    if judgement.reason is Reason.BEHIND:
        return f"the nodes that know it are {_behind(judgement) or 'behind'}"
    return _UNKNOWN.get(judgement.reason, "the answers did not allow a conclusion")


def _behind(judgement: Judgement) -> str | None:
    if judgement.at_slot is None or judgement.current_slot is None or judgement.at_slot >= judgement.current_slot:
        return None
    return f"{count(judgement.current_slot - judgement.at_slot, 'message')} behind"


def seen(card: StatusCard) -> list[str]:
    """Give what was seen, in words, one sentence each."""
    judgement = card.latest
    if judgement is None:
        return []
    return [
        sentence
        for sentence in (
            _shown(judgement),
            _missing(judgement, card),
            _stuck(judgement),
            _arrived(card),
            _waits_for_confirmation(card, judgement),
        )
        if sentence
    ]


def _shown(judgement: Judgement) -> str | None:
    keys = [key for key, _ in judgement.shown] or (
        list(judgement.exposed) if judgement.verdict is Verdict.PATCHED else []
    )
    if not keys:
        return None
    return f"{nodes_say(judgement)} can read {codes(keys)}."


def _missing(judgement: Judgement, card: StatusCard) -> str | None:
    if judgement.verdict is not Verdict.NOT_PATCHED:
        return None
    if judgement.missing:
        sentence = f"Missing: {codes(judgement.missing)}."
    else:
        sentence = "It exposes nothing yet." if not judgement.exposed else ""
    shown = {path for _, path in judgement.shown}
    instead = [path for path in judgement.exposed if path not in shown]
    if instead and judgement.missing:
        sentence += f" Exposed instead: {codes(instead)}."
    return f"{sentence} Said by {_voices(judgement)}." if sentence and judgement.nodes else sentence


def _stuck(judgement: Judgement) -> str | None:
    if not judgement.stuck or judgement.verdict is Verdict.UNKNOWN:
        return None
    return "It is stuck: its newest messages fail to compute, so what apps read is from before them."


def _arrived(card: StatusCard) -> str | None:
    """Say whether the signed message reached the process and what came of it: without a handler nothing does."""
    arrival = card.arrival
    if arrival is None or card.status is Verdict.PATCHED:
        return None
    whose = "Your message" if card.role is Role.MINE else "Its owner's message"
    came = f"{whose} arrived {ago(arrival.at)}" if arrival.at else f"{whose} has arrived"
    match arrival.outcome:
        case Outcome.NO_HANDLER:
            then = "*Sign* installs it" if card.sign_url else "it has to be installed first"
            return f"{came}, but the process has no handler for it: {then}."
        case Outcome.FAILED:
            said = f" It said: {code(arrival.error, 200)}" if arrival.error else ""
            return f"{came}, but the process failed on it.{said}"
        case Outcome.PATCHED:
            return f"{came} and was carried out. Nodes may take a while to show it."
        case Outcome.UNKNOWN:
            return f"{came}. What came of it I can't tell yet."


def _waits_for_confirmation(card: StatusCard, judgement: Judgement) -> str | None:
    if judgement.verdict in (Verdict.UNKNOWN, card.status):
        if judgement.verdict is Verdict.UNKNOWN and card.status is not Verdict.UNKNOWN:
            return f"The newest look could not tell ({why_unknown(judgement)}), so what I knew before stands."
        return None
    return "I take it as settled once a second operator's node says the same, or this one again in an hour."


def nodes_say(judgement: Judgement) -> str:
    """Give `Two nodes`, or `One node`, at the beginning of a sentence."""
    return {0: "A node", 1: "One node", 2: "Two nodes", 3: "Three nodes"}.get(
        len(judgement.nodes), f"{len(judgement.nodes)} nodes"
    )


def nodes_in_number(number: int) -> str:
    """Give the same for a number alone."""
    return {0: "A node", 1: "One node", 2: "Two nodes", 3: "Three nodes"}.get(number, f"{number} nodes")


def _voices(judgement: Judgement) -> str:
    return codes([host(node) for node in judgement.nodes], at_most=3)


def host(node: str) -> str:
    """Give a node's host, as people know it."""
    url = URL(node)
    host = url.host or node
    return host if url.is_default_port() or url.port is None else f"{host}:{url.port}"


def times(card: StatusCard) -> list[str]:
    """Give since when, when it was and will be looked at, and when the next reminder comes."""
    since = f"Since {ago(card.since)}." if card.since and card.status is not Verdict.UNKNOWN else None
    checked = f"Checked {ago(card.checked_at)}." if card.checked_at else None
    if card.registration_id == 0:
        return [each for each in (checked, "I keep nothing of this: `/register` follows a process.") if each]
    following = f"Next check {ago(card.next_check)}." if card.next_check else None
    return [each for each in (since, checked, following, _reminders(card)) if each]


def _reminders(card: StatusCard) -> str | None:
    if card.status is Verdict.PATCHED:
        return "Nothing more to do; I'll write only if it breaks." if card.role is Role.MINE else None
    if card.role is Role.WATCHING:
        return "You just watch this one: I'll write once, when it is patched."
    if card.blocked is not None:
        return None
    if card.stopped:
        return "You stopped my reminders; *Remind me again* below starts them."
    return f"Next reminder {ago(card.next_reminder)}." if card.next_reminder else None


def no_link(card: StatusCard) -> str | None:
    """Say why there is no *Sign* button, where the person would look for one."""
    if card.sign_url is not None or card.no_sign_link is None or card.registration_id == 0:
        return None
    if card.no_sign_link is NoSignLink.BLOCKED:
        return blocked(card)
    return _NO_LINK.get(card.no_sign_link) if card.no_sign_link is not NoSignLink.WATCHING else None


def blocked(card: StatusCard) -> str | None:
    """Say why its owner cannot act, as they told it, and how to take that back."""
    if card.blocked is None or card.status is Verdict.PATCHED:
        return None
    return (
        f"You told me that {WHY_BLOCKED[card.blocked]}. I don't remind you of it, but go on checking. "
        "*Remind me again* takes that back."
    )


def evidence(card: StatusCard, at_most: int = 6) -> list[str]:
    """Give one line for each answer of a node, as the evidence has them."""
    shown: Sequence[str] = [
        f"{code(host(each.node), 40)} {code(_tail(each.path, card.process), 50)}: {code(each.reason, 60)} "
        f"({_answer(each.status)}, {each.elapsed_ms:,} ms)"
        for each in card.evidence[:at_most]
    ]
    rest = len(card.evidence) - len(shown)
    return [*shown, *([f"and {count(rest, 'answer')} more"] if rest > 0 else [])]


def _answer(status: int | None) -> str:
    return "no answer" if status is None else f"{status}"


def _tail(path: str, process: str) -> str:
    return path.split(f"{process}~process@1.0", 1)[-1] or "/"
