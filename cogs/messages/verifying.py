"""Whether something is from us, said plainly, with what to do where it is not."""

from __future__ import annotations

from bot.services.verifying import Trust, Verified
from cogs.messages.language import _
from cogs.messages.page import GREEN, RED, Page, page, small
from cogs.messages.text import ago, codes

_GOOD = (Trust.SENT, Trust.THEIR_LINK, Trust.SAFE_WORD, Trust.OUR_PAGE)


def verified_page(verified: Verified, public_url: str | None) -> Page:
    """Say what is known of a link or of the text of a message."""
    good = verified.trust in _GOOD
    return page(
        _finding(verified),
        _more(verified.trust),
        None if good else _what_to_do(),
        small(_my_address(public_url)) if public_url else None,
        colour=GREEN if good else RED,
    )


def _finding(verified: Verified) -> str:
    when = ago(verified.at) if verified.at else ""
    match verified.trust:
        case Trust.ELSEWHERE:
            places = codes(verified.places, limit=80, at_most=3)
            return _("**Not from me.** That leads to {places}, which is not my page.", places=places)
        case Trust.NOT_SENT:
            return _("**I sent you no such message.**")
        case Trust.TOO_OLD:
            return _("**I can't tell any more.** That message is older than what I keep of those that I sent.")
        case Trust.NOT_THEIRS:
            return _("**That is my page, but no link that I made for you,** or one that has ended.")
        case Trust.NO_SAFE_WORD:
            return _("**Your safe word is not in that.** Every DM from me carries it.")
        case Trust.SENT:
            return _("**Yes, I sent you that message,** {when}.", when=when)
        case Trust.THEIR_LINK:
            return _("**Yes, that link is mine, and made for you.** It ends {when}.", when=when)
        case Trust.SAFE_WORD:
            return _("**It carries your safe word,** which only my messages to you do.")
        case Trust.OUR_PAGE:
            return _("**Yes, that is my page.**")


def _more(trust: Trust) -> str | None:
    match trust:
        case Trust.NOT_THEIRS:
            return _("Don't sign there. `/status` gives you a link of your own.")
        case Trust.SAFE_WORD | Trust.SENT:
            return _("A link may hide behind words: copy the link itself and give it to `/verify`, too.")
        case Trust.OUR_PAGE:
            return _("It asks nobody for a key. What is to be signed is shown there before.")
        case _:
            return None


def _what_to_do() -> str:
    return _(
        "Open no link in it, connect no wallet, sign nothing. Hold the message (or right-click it), choose *Report "
        "Message*, and block who sent it. What is really open you see with `/status`."
    )


def _my_address(public_url: str) -> str:
    return _(
        "My links begin with {address}, letter by letter, and then a slash.", address=codes([public_url], limit=100)
    )


def author_page(*, ours: bool) -> Page:
    """Say whether a message was written by us."""
    if ours:
        return page(
            _("**Yes, this message is from me.** Discord itself says so, whatever names and pictures look like."),
            _("A link may hide behind words: copy the link itself and give it to `/verify`, too."),
            colour=GREEN,
        )
    return page(
        _("**No, this message is not from me,** whatever its name and picture say."),
        _what_to_do(),
        small(
            _("From a person you know it may be harmless. But no person writes for me, and none ever needs your key.")
        ),
        colour=RED,
    )
