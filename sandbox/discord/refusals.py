"""What a person's client does not let them do, or what they find missing. Each is one sentence for that person."""

from __future__ import annotations


class ClientRefused(Exception):
    """The base of all below."""


class TheBotDidNotAnswer(ClientRefused):
    """No answer came in time: "The application did not respond", or nothing more came after it."""


class NotVisible(ClientRefused):
    """The channel or message is not there for this person."""


class NoSuchCommand(ClientRefused):
    """The client offers no such command here to this person."""


class BadOption(ClientRefused):
    """An option is missing, unknown, or has a value that the client does not take."""


class NoSuchComponent(ClientRefused):
    """The message has no such button or select."""


class ComponentIsDisabled(ClientRefused):
    """The button or select is greyed out."""


class OpensALink(ClientRefused):
    """The button is a link: a press tells the bot nothing. `url` is where it leads."""

    def __init__(self, url: str) -> None:
        super().__init__(f"This button opens {url}.")
        self.url = url


class BadChoice(ClientRefused):
    """A select or a field of a dialog does not take this value, or misses one."""


class NoModal(ClientRefused):
    """No dialog is open, or it was closed."""


class CannotSend(ClientRefused):
    """The person may not write here, or not this."""
