"""How to do it by hand: the code as a file, its fingerprint, and the lines to type in aos."""

from __future__ import annotations

from typing import Any

from discord import ui

from bot.domain.handler import HANDLER_FILE, HANDLER_VERSION, OFF_FILE
from bot.domain.process_id import ProcessId
from bot.domain.ways import AOS_MODULES
from cogs.messages.language import _
from cogs.messages.page import Item, Page, line, lines, page, press, small
from cogs.messages.text import codes


def guide_page(fingerprint: str) -> Page:
    """Give the short guide, with both files in it. `fingerprint` is the sha256 of the first."""
    return page(
        lines(
            [
                _("**What patching is**"),
                _(
                    "A patched process shows its state to everyone, so that apps can read it at once from any "
                    "HyperBEAM node. It takes one message, signed by the process's owner. That moves no tokens."
                ),
            ]
        ),
        lines(
            [
                _("**You own a process**"),
                _(
                    "Type `/register` with its id. I look whether it is patched, and my page has your wallet sign that "
                    "message. Is your key a file, and you work in aos? Start aos with your process, then load the code:"
                ),
            ]
        ),
        _loading("<process>"),
        lines(
            [
                _("**You make an app**"),
                _(
                    "The code below shows the globals that it names, here those of a token, and from then on whatever "
                    "changes in them. None of your handlers needs an edit. It runs on aos {versions}. For other "
                    "globals, `python -m bot handler --key points=Game.Points` in my sources prints it.",
                    versions=codes(sorted(AOS_MODULES.values())),
                ),
            ]
        ),
        lines(
            [
                _("**How to check**"),
                _(
                    "Type `/check` with the process's id. Or ask any node yourself: it lists what can be read "
                    "at {path}.",
                    path="`/<process>~process@1.0/compute/cache/keys/serialize~json@1.0`",
                ),
            ]
        ),
        line(),
        _file(HANDLER_FILE),
        small(_fingerprint(fingerprint)),
        _file(OFF_FILE),
        small(_("This one turns it off again: load it in the same way. What was published stays as it was.")),
    )


def key_file_page(process: ProcessId, fingerprint: str) -> Page:
    """Give the code for one process, and what to type in aos."""
    return page(
        lines(
            [
                _("**With aos and your key file**"),
                _("Save this file, and in its folder type these two lines. aos signs with your key; I never see it."),
            ]
        ),
        _loading(process),
        lines(
            [
                _("Is the owner's key in a file of its own? Then begin with `aos --wallet <file>`."),
                _("aos answers `StatePatch: published …`. A minute later, press *Check now*."),
            ]
        ),
        _file(HANDLER_FILE),
        small(_fingerprint(fingerprint)),
        [press(_("Check now"), f"look:{process}")],
    )


def _loading(process: str) -> str:
    """Give the two lines. What begins with a hyphen would be an option of aos's, but for the two hyphens before it."""
    named = f"-- {process}" if process.startswith("-") else process
    return f"```\naos {named}\n.load {HANDLER_FILE}\n```"


def _fingerprint(sha256: str) -> str:
    return _("Version {version}. Its sha256 is {sha256}", version=HANDLER_VERSION, sha256=f"`{sha256}`")


def _file(name: str) -> Item:
    return ui.File[Any](f"attachment://{name}")
