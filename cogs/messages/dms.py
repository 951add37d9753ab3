"""The DMs. Each has the person's safe word, says why it came, and how to stop it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.notices import Alarm, FirstDm, Patched, ProcessLine, Regressed, Unreadable
from bot.domain.observation import Verdict
from bot.domain.verdict import Judgement, Reason
from cogs.messages import words
from cogs.messages.language import _, ngettext
from cogs.messages.page import AMBER, BLUE, GREEN, GREY, RED, Page, link, page, press, small
from cogs.messages.reminder import never_asks, under_dm, ways_to_end
from cogs.messages.text import ago, clean, code, codes, joined, named


def first_dm(notice: FirstDm, delivery: int, sign_url: str | None, stamp: int | None = None) -> Page:
    """Give the DM that proves that DMs arrive."""
    what = _names(notice.processes, notice.more)
    return page(
        " ".join(
            [
                _("Safe word: **{safe_word}**.", safe_word=notice.safe_word),
                _added(what, notice.community, _("a moment ago") if notice.added_at is None else ago(notice.added_at)),
                _(
                    "While a process of yours isn't patched I'll remind you here, never more than once a day, "
                    "and I'll tell you when it's done."
                ),
            ]
        ),
        f"{never_asks()} {_no_links()}",
        *under_dm(delivery, sign_url),
        small(ways_to_end()),
        colour=BLUE,
        stamp=stamp,
    )


def _added(what: str, community: str | None, when: str) -> str:
    if community is None:
        return _("You added {processes} {when}, so I can reach you.", processes=what, when=when)
    return _(
        "You added {processes} in {community} {when}, so I can reach you.",
        processes=what,
        community=code(community),
        when=when,
    )


def _no_links() -> str:
    return _("Rather not click links in DMs? Type `/status` in the server.")


def patched(notice: Patched, stamp: int | None = None) -> Page:
    """Give the good news, told once."""
    buttons = link(_("See it live"), notice.node_url)
    if notice.open_processes:
        others = ngettext("Show my others ({number:,})", "Show my others ({number:,})", notice.open_processes)
        buttons.append(press(others, "mine:0"))
    what = codes(notice.shown) if notice.shown else _("its state")
    done = _("**Done:** {process} is patched.", process=_named(notice.process))
    over = _("Nothing more to do for this one; I'll write only if it breaks.")
    return page(
        f"{notice.safe_word} · {done} {words.nodes_can_read(notice.nodes, what)} {over}",
        _patched_too(notice),
        buttons,
        small(_("You get this because you follow it. `/unregister` ends that.")),
        colour=GREEN,
        stamp=stamp,
    )


def _patched_too(notice: Patched) -> str | None:
    number = len(notice.others) + notice.more
    if not number:
        return None
    return ngettext(
        "{number:,} more has turned patched: {processes}.",
        "{number:,} more have turned patched: {processes}.",
        number,
        processes=_names(notice.others, notice.more),
    )


def regressed(notice: Regressed, delivery: int, sign_url: str | None, stamp: int | None = None) -> Page:
    """Give the news that a patched process stopped showing its keys."""
    news = _(
        "**Not patched any more:** {process}. It was, and now nodes don't find what it exposed. "
        "Signing once more usually brings it back. Your tokens stay where they are.",
        process=_named(notice.process),
    )
    why = _("You get this because you registered it as yours.")
    number = len(notice.others) + notice.more
    return page(
        f"{notice.safe_word} · {news}",
        ngettext(
            "The same is so of {number:,} more: {processes}.",
            "The same is so of {number:,} more: {processes}.",
            number,
            processes=_names(notice.others, notice.more),
        )
        if number
        else None,
        *under_dm(delivery, sign_url),
        small(f"{why} {ways_to_end()} {never_asks()}"),
        colour=AMBER,
        stamp=stamp,
    )


def unreadable(notice: Unreadable, delivery: int, stamp: int | None = None) -> Page:
    """Give the news that no node can read a process, told once."""
    news = _(
        "**No node can read** {process}, so apps can't either. I have tried again and again: {reason}. You can do "
        "nothing wrong here: its app's developers may know more. I go on looking, and won't remind you meanwhile.",
        process=_named(notice.process),
        reason=_reason(notice.reason),
    )
    why = _("You get this once, because you registered it as yours.")
    return page(
        f"{notice.safe_word} · {news}",
        *under_dm(delivery, reminds=False),
        small(f"{why} {ways_to_end()}"),
        colour=GREY,
        stamp=stamp,
    )


def _reason(reason: str) -> str:
    try:
        return words.why_unknown(Judgement(verdict=Verdict.UNKNOWN, reason=Reason(reason)))
    except ValueError:
        return words.no_conclusion()


def alarm(notice: Alarm, stamp: int | None = None) -> Page:
    """Give one sentence for an operator, in English as logs are. It is ours, but may name a peer: cleaned, not code."""
    return page(
        _("**Patchbell, for its operators.** {sentence}", sentence=clean(notice.sentence, 1500)),
        [press(_("Resume its reminders"), f"unpause:{notice.guild_id}")] if notice.guild_id is not None else None,
        small(_("You get this because `operators` in my configuration has your id. Take it out there to stop it.")),
        colour=RED,
        stamp=stamp,
    )


def _names(named_ones: Sequence[ProcessLine], more: int) -> str:
    return joined([_named(each) for each in named_ones], more, at_most=3)


def _named(line: ProcessLine) -> str:
    return named(line.process, line.label, line.name)
