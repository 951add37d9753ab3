"""Refusals, in the shape in which Discord gives them.

`code` and `status` are those of Discord's documentation (opcodes-and-status-codes.mdx, rate-limits.mdx). The names
inside the `errors` tree (`BASE_TYPE_MAX_LENGTH` and so on) are not documented as a list; they are those of its examples
and of public reports, or made up in their manner. A bot must not depend on them, and this one does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

Json: TypeAlias = "dict[str, Any]"
Path: TypeAlias = "Sequence[str | int]"

_MESSAGES: Mapping[int, tuple[int, str]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20026: (403, "Your bot has been flagged by our anti-spam system for abusive behavior."),
    30032: (400, "Maximum number of application commands reached"),
    30034: (429, "Max number of daily application command creates has been reached (200)"),
    40003: (403, "You are opening direct messages too fast"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40094: (400, "This interaction has hit the maximum number of follow up messages."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    160005: (400, "Thread is locked"),
}


class ApiError(Exception):
    """A request that Discord refuses. `body` is the JSON of the answer."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def refusal(code: int) -> ApiError:
    """Give the refusal with one of Discord's documented codes."""
    status, message = _MESSAGES[code]
    return ApiError(status, {"message": message, "code": code})


def plain(status: int, message: str) -> ApiError:
    """Give a refusal without a code of its own, such as 401 and unknown routes."""
    return ApiError(status, {"message": f"{status}: {message}", "code": 0})


@contextmanager
def errors_below(field: str) -> Iterator[None]:
    """Put the `errors` of a refusal below a field: where the refused body is only a part of the request's."""
    try:
        yield
    except ApiError as error:
        if "errors" in error.body:
            error.body["errors"] = {field: error.body["errors"]}
        raise


class Form:
    """Collects what is wrong with a body, and refuses it as a whole, as Discord does: 50035, a tree of `_errors`."""

    def __init__(self) -> None:
        self._errors: Json = {}

    @property
    def faulty(self) -> bool:
        """Whether something was wrong so far."""
        return bool(self._errors)

    def wrong(self, path: Path, code: str, message: str) -> None:
        """Note one fault at a path of field names and indexes."""
        node = self._errors
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def done(self) -> None:
        """Raise ApiError if anything was wrong."""
        if self._errors:
            raise ApiError(400, {"message": "Invalid Form Body", "code": 50035, "errors": self._errors})

    # The checks below give True when all is well, so that a caller can stop where the rest would make no sense.

    def text(self, path: Path, value: object, *, at_least: int = 0, at_most: int) -> bool:
        """Hold a text to its length, counted in characters."""
        if not isinstance(value, str):
            self.wrong(path, "BASE_TYPE_REQUIRED" if value is None else "STRING_TYPE_CONVERT", "This field is required")
            return False
        if at_least <= len(value) <= at_most:
            return True
        if at_least:
            self.wrong(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {at_least} and {at_most} in length.")
        else:
            self.wrong(path, "BASE_TYPE_MAX_LENGTH", f"Must be {at_most} or fewer in length.")
        return False

    def items(self, path: Path, value: object, *, at_least: int = 0, at_most: int) -> bool:
        """Hold a list to its length."""
        if not isinstance(value, list):
            self.wrong(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return False
        if at_least <= len(value) <= at_most:
            return True
        self.wrong(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {at_least} and {at_most} in length.")
        return False

    def number(self, path: Path, value: object, *, at_least: float, at_most: float) -> bool:
        """Hold a number to its range."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(path, "NUMBER_TYPE_COERCE", f"Value {value!r} is not int.")
            return False
        if value < at_least:
            self.wrong(path, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {at_least}.")
        elif value > at_most:
            self.wrong(path, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {at_most}.")
        return at_least <= value <= at_most
