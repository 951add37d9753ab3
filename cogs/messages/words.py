"""The words for what was seen: which key, on which nodes, how far behind, stuck or not, what is exposed instead."""

from __future__ import annotations

from bot.domain.card import Arrival, Blocked, NoSignLink, Outcome, Rest, Role, StatusCard
from bot.domain.observation import Verdict
from bot.domain.verdict import Judgement, Reason
from cogs.messages.evidence import host
from cogs.messages.language import _, ngettext
from cogs.messages.resting import why_resting
from cogs.messages.text import ago, code, codes, named


def headline(card: StatusCard) -> str:
    """Give the person's situation in one bold sentence and what it means."""
    name = of_card(card)
    if card.status is Verdict.PATCHED:
        return _("**Patched:** {process}. Apps can read its state.", process=name)
    if card.status is Verdict.NOT_PATCHED:
        return _(
            "**Not patched yet:** {process}. Apps can't read it until its owner signs one message. "
            "That moves no tokens.",
            process=name,
        )
    if card.status is Verdict.NOT_FOUND:
        return _(
            "**No process has this id:** {process}. I asked every gateway and node. Please compare the id.",
            process=name,
        )
    return _turning(card) or _could_not_tell(card)


def _could_not_tell(card: StatusCard) -> str:
    said = _(
        "**I could not tell** whether {process} is patched: {reason}. That is not your fault.",
        process=of_card(card),
        reason=why_unknown(card.latest),
    )
    trying, later = _("I keep trying, and won't remind you meanwhile."), _("Please try again later.")
    return f"{said} {trying if card.registration_id else later}"


def _turning_to(card: StatusCard) -> Verdict | None:
    """Give what a first look concluded that still waits for its confirmation."""
    if card.latest is None or card.latest.verdict in (Verdict.UNKNOWN, card.status):
        return None
    return card.latest.verdict


def _turning(card: StatusCard) -> str | None:
    name = of_card(card)
    match _turning_to(card):
        case Verdict.PATCHED:
            return _("**Looks patched:** {process}.", process=name)
        case Verdict.NOT_PATCHED:
            return _("**Looks not patched yet:** {process}.", process=name)
        case Verdict.NOT_FOUND:
            return _("**Nobody seems to know this id:** {process}.", process=name)
        case _:
            return None


def short_state(card: StatusCard) -> str:
    """Give the state in two or three words, for lists."""
    match card.status:
        case Verdict.PATCHED:
            return _("patched")
        case Verdict.NOT_PATCHED if card.blocked is not None:
            return _("not patched, and you can't sign")
        case Verdict.NOT_PATCHED:
            return _("not patched yet")
        case Verdict.NOT_FOUND:
            return _("no such process")
        case Verdict.UNKNOWN:
            return _short_turning(card)


def _short_turning(card: StatusCard) -> str:
    match _turning_to(card):
        case Verdict.PATCHED:
            return _("looks patched")
        case Verdict.NOT_PATCHED:
            return _("looks not patched yet")
        case Verdict.NOT_FOUND:
            return _("nobody seems to know this id")
        case _:
            return _("could not tell")


def of_card(card: StatusCard) -> str:
    """Name the card's process."""
    return named(card.process, card.label, card.metadata.name if card.metadata else None)


def why_unknown(judgement: Judgement | None) -> str:
    """Give the reason of an unknown, to follow a colon."""
    if judgement is None:
        return _("I haven't looked yet")
    if judgement.reason is Reason.BEHIND:
        return _behind(judgement)
    return {
        Reason.NO_ANSWER: _("no node answered for it"),
        Reason.NODES_DOWN: _("none of my nodes answers at the moment"),
        Reason.COMPUTING: _("a node is still computing it, which can take a while for an old process"),
        Reason.UNSCHEDULED: _("nothing has been sent to it yet, so there is nothing to read"),
        Reason.STUCK: _("it fails to compute its newest messages, so nodes can't tell"),
        Reason.NOT_KNOWN_HERE: _("none of my nodes knows it"),
        Reason.TOO_YOUNG: _("it was spawned so recently that gateways don't list it yet"),
        Reason.TAGS_UNKNOWN: _("no gateway could tell me how it was spawned, and without that I can't be sure"),
        Reason.NOT_A_PROCESS: _("the gateway knows this id, but not as an AO process"),
    }.get(judgement.reason) or no_conclusion()


def no_conclusion() -> str:
    """Give the reason of an unknown that has no words of its own."""
    return _("the answers did not allow a conclusion")


def _behind(judgement: Judgement) -> str:
    if judgement.at_slot is None or judgement.current_slot is None or judgement.at_slot >= judgement.current_slot:
        return _("the nodes that know it are behind")
    return ngettext(
        "the nodes that know it are {number:,} message behind",
        "the nodes that know it are {number:,} messages behind",
        judgement.current_slot - judgement.at_slot,
    )


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
    return nodes_can_read(len(judgement.nodes), codes(keys))


def nodes_can_read(number: int, keys: str) -> str:
    """Say how many nodes can read these keys, given as they are shown."""
    match number:
        case 0:
            return _("A node can read {keys}.", keys=keys)
        case 1:
            return _("One node can read {keys}.", keys=keys)
        case 2:
            return _("Two nodes can read {keys}.", keys=keys)
        case 3:
            return _("Three nodes can read {keys}.", keys=keys)
        case _:
            return ngettext("{number:,} node can read {keys}.", "{number:,} nodes can read {keys}.", number, keys=keys)


def _missing(judgement: Judgement, card: StatusCard) -> str | None:
    if judgement.verdict is not Verdict.NOT_PATCHED:
        return None
    shown = {path for _key, path in judgement.shown}
    instead = [path for path in judgement.exposed if path not in shown]
    sentences: list[str] = []
    if judgement.missing:
        sentences.append(_("Missing: {keys}.", keys=codes(judgement.missing)))
        if instead:
            sentences.append(_("Exposed instead: {keys}.", keys=codes(instead)))
    elif not judgement.exposed:
        sentences.append(_("It exposes nothing yet."))
    if sentences and judgement.nodes:
        sentences.append(_("Said by {nodes}.", nodes=_voices(judgement)))
    return " ".join(sentences)


def _stuck(judgement: Judgement) -> str | None:
    if not judgement.stuck or judgement.verdict is Verdict.UNKNOWN:
        return None
    return _("It is stuck: its newest messages fail to compute, so what apps read is from before them.")


def _arrived(card: StatusCard) -> str | None:
    """Say whether the signed message reached the process and what came of it: without a handler nothing does."""
    arrival = card.arrival
    if arrival is None or card.status is Verdict.PATCHED:
        return None
    return f"{_came(arrival, card.role)} {_came_of_it(arrival, can_sign=card.sign_url is not None)}"


def _came(arrival: Arrival, role: Role) -> str:
    if role is Role.MINE:
        if arrival.at is None:
            return _("Your message has arrived.")
        return _("Your message arrived {when}.", when=ago(arrival.at))
    if arrival.at is None:
        return _("Its owner's message has arrived.")
    return _("Its owner's message arrived {when}.", when=ago(arrival.at))


def _came_of_it(arrival: Arrival, *, can_sign: bool) -> str:
    match arrival.outcome:
        case Outcome.NO_HANDLER if can_sign:
            return _("The process has no handler for it: *Sign* installs it.")
        case Outcome.NO_HANDLER:
            return _("The process has no handler for it: that has to be installed first.")
        case Outcome.FAILED if arrival.error:
            return _("The process failed on it. It said: {error}", error=code(arrival.error, 200))
        case Outcome.FAILED:
            return _("The process failed on it.")
        case Outcome.PATCHED:
            return _("It was carried out. Nodes may take a while to show it.")
        case Outcome.UNKNOWN:
            return _("What came of it I can't tell yet.")


def _waits_for_confirmation(card: StatusCard, judgement: Judgement) -> str | None:
    if judgement.verdict in (Verdict.UNKNOWN, card.status):
        if judgement.verdict is Verdict.UNKNOWN and card.status is not Verdict.UNKNOWN:
            return _(
                "The newest look could not tell ({reason}), so what I knew before stands.",
                reason=why_unknown(judgement),
            )
        return None
    if judgement.verdict is Verdict.NOT_FOUND:
        return _("I take it as settled once nobody has known it for a day: what was just spawned is found later.")
    return _(
        "I take it as settled once nodes of two operators say the same. If no second one can tell, this one has to "
        "go on saying so, for about a day at most."
    )


def _voices(judgement: Judgement) -> str:
    return codes([host(node) for node in judgement.nodes], at_most=3)


def times(card: StatusCard) -> list[str]:
    """Give since when, when it was and will be looked at, and when the next reminder comes."""
    since = _("Since {when}.", when=ago(card.since)) if card.since and card.status is not Verdict.UNKNOWN else None
    checked = _("Checked {when}.", when=ago(card.checked_at)) if card.checked_at else None
    if card.registration_id == 0:
        return [each for each in (checked, _("I keep nothing of this: `/register` follows a process.")) if each]
    following = _("Next check {when}.", when=ago(card.next_check)) if card.next_check else None
    return [each for each in (since, checked, following, reminders(card)) if each]


def reminders(card: StatusCard) -> str | None:
    """Say when the next reminder comes, or why none does."""
    if card.status is Verdict.PATCHED:
        return _("Nothing more to do; I'll write only if it breaks.") if card.role is Role.MINE else None
    if card.role is Role.WATCHING:
        return _("You just watch this one: I'll write once, when it is patched.")
    if card.blocked is not None:
        return None
    if card.stopped:
        return _("You stopped my reminders; *Remind me again* below starts them.")
    if card.next_reminder:
        return _("Next reminder {when}.", when=ago(card.next_reminder))
    if card.rest is Rest.UNREADABLE:
        return _("I don't remind you of it while no node can read it.")
    return _("My reminders rest for now: {reason}.", reason=why_resting(card.rest)) if card.rest else None


def no_link(card: StatusCard) -> str | None:
    """Say why there is no *Sign* button, where the person would look for one."""
    if card.sign_url is not None or card.no_sign_link is None or card.registration_id == 0:
        return None
    match card.no_sign_link:
        case NoSignLink.BLOCKED:
            return blocked(card)
        case NoSignLink.NO_PUBLIC_URL:
            return _("I have no signing page yet: whoever runs this bot has to give it an https address.")
        case _:
            return None


def blocked(card: StatusCard) -> str | None:
    """Say why its owner cannot act, as they told it, and how to take that back."""
    if card.blocked is None or card.status is Verdict.PATCHED:
        return None
    told = {
        Blocked.LOST_WALLET: _("You told me that the wallet is lost."),
        Blocked.NOT_MINE_TO_SIGN: _("You told me that it is not yours to sign."),
        Blocked.OWNED_BY_APP: _("You told me that an app owns it, so its developers must act."),
        Blocked.NO_HANDLER: _("You told me that its code has no way to do it, so its developers must act."),
        Blocked.REFUSED: _("You told me that the network refused your message."),
        Blocked.OTHER: _("You told me that something is in the way."),
    }[card.blocked]
    then = _("I don't remind you of it, but go on checking. *Remind me again* takes that back.")
    return f"{told} {then}"
