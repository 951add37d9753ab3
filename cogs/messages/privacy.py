"""What is kept of a person, said to them; and the question before it is erased."""

from __future__ import annotations

from typing import Any

from discord import ButtonStyle, ui

from bot.services.privacy import Holding
from cogs.messages.language import _, ngettext
from cogs.messages.page import BLUE, GREY, RED, Button, Page, lines, page, press, small

EXPORT = "patchbell-of-me.json"


def privacy_page(holding: Holding) -> Page:
    """Say what is kept, who sees it, when it ends, and give the ways to have it or to be rid of it."""
    return page(
        lines([_("**What I keep of you**"), *_kept(holding)]) if holding.known else _("**I keep nothing of you.**"),
        _("Never a key, a seed phrase, a signature, or anything that you write elsewhere."),
        f"{_seen(holding)} {_ends(holding)}",
        [
            press(_("Send me all of it"), "export:0"),
            *([_naming(holding)] if holding.processes else []),
            press(_("Erase all of it"), "erase:0", style=ButtonStyle.danger),
        ]
        if holding.known
        else None,
        small(_("Only you see this. All of it is about your own Discord account and nobody else's.")),
        colour=BLUE,
    )


def _kept(holding: Holding) -> list[str]:
    sentences = [
        _("Your Discord id, language and safe word, when you want reminders, and whether DMs reach you."),
        _("Half of your display name, for the signing page."),
        ngettext(
            "{number:,} process that you registered: your label, your part in it, and what you told me of it.",
            "{number:,} processes that you registered: your labels, your part in them, and what you told me of them.",
            holding.processes,
        ),
        ngettext(
            "{number:,} message that I sent or owe you.",
            "{number:,} messages that I sent or owe you.",
            holding.messages,
        ),
        ngettext(
            "{number:,} link to sign, as a fingerprint that opens nothing.",
            "{number:,} links to sign, as fingerprints that open nothing.",
            holding.links,
        ),
    ]
    if holding.announcements:
        sentences.append(
            ngettext(
                "That you announced {number:,} migration.",
                "That you announced {number:,} migrations.",
                holding.announcements,
            )
        )
    return [f"- {sentence}" for sentence in sentences]


def _seen(holding: Holding) -> str:
    if holding.may_be_named:
        return _("Moderators of servers where you registered may see which process is yours, as you allowed it.")
    return _("Nobody else sees what is yours: moderators see process ids and counts, never who is behind one.")


def _ends(holding: Holding) -> str:
    dated = ngettext(
        "I erase what you registered for a migration {number:,} day after its date.",
        "I erase what you registered for a migration {number:,} days after its date.",
        holding.keeps.days,
    )
    undated = _(
        "What has no date ends as long after it was patched, or after my last reminder of it. Both stay as long as you "
        "ask me for something now and then."
    )
    return f"{dated} {undated}"


def _naming(holding: Holding) -> Button:
    if holding.may_be_named:
        return press(_("Hide my name again"), "named:no")
    return press(_("Let moderators see my name"), "named:yes")


def export_page() -> Page:
    """Say what the file is, and show it."""
    return page(
        _("**Here is all that I keep of you,** table by table, as I have it. Keep the file to yourself."),
        ui.File[Any](f"attachment://{EXPORT}"),
        colour=BLUE,
    )


def erase_page(holding: Holding) -> Page:
    """Ask before everything is erased."""
    if not holding.known:
        return page(_("**I keep nothing of you.**"), colour=GREY)
    return page(
        ngettext(
            "**Erase all of it?** {number:,} process is no longer followed, no reminder comes any more, and your links "
            "and your safe word end. It can't be taken back.",
            "**Erase all of it?** {number:,} processes are no longer followed, no reminder comes any more, and your "
            "links and your safe word end. It can't be taken back.",
            holding.processes,
        ),
        _("What I wrote you stays in our DM, where only you see it."),
        _("What you announced for a server stays there, without you.") if holding.announcements else None,
        [press(_("Yes, erase it"), "eraseall:0", style=ButtonStyle.danger), press(_("Keep it"), "keepall:0")],
        colour=RED,
    )


def erased_page() -> Page:
    """Say that nothing is left."""
    return page(
        _("**Erased.** I keep nothing of you, and won't write to you. `/register` begins anew, with a new safe word."),
        colour=GREY,
    )


def kept_page() -> Page:
    """Say that nothing was changed."""
    return page(_("**Nothing was erased.**"), colour=GREY)
