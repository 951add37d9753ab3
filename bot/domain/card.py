"""What a person is shown of one process: data only, rendered by `cogs/messages`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.handler import DEFAULT_ACTION
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.verdict import Judgement


class Role(StrEnum):
    """How a person follows a process. Watchers hear only "patched" and count for nothing."""

    MINE = "mine"
    WATCHING = "watching"


class NoSignLink(StrEnum):
    """Why a card carries no *Sign* link."""

    NO_PUBLIC_URL = "no-public-url"
    PATCHED = "patched"
    WATCHING = "watching"
    NOT_FOUND = "not-found"
    BLOCKED = "blocked"


class Blocked(StrEnum):
    """Why an owner cannot act. The values are stored, and are the options of a select: they live for months.

    A word of another version is `OTHER`.
    """

    LOST_WALLET = "lost-wallet"
    NOT_MINE_TO_SIGN = "not-mine-to-sign"
    OWNED_BY_APP = "owned-by-app"
    NO_HANDLER = "no-handler"
    REFUSED = "refused"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Blocked:
        return cls.OTHER


class Rest(StrEnum):
    """Why nobody is reminded, of anything or of this process, for as long as it is so."""

    MAINTENANCE = "maintenance"
    OUTAGE = "outage"
    UNREADABLE = "unreadable"


FOR_DEVELOPERS = frozenset({Blocked.OWNED_BY_APP, Blocked.NO_HANDLER, Blocked.REFUSED})
"""What only an app's developers can help with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One line of evidence: what one node answered at one path, in at most a line."""

    node: str
    path: str
    status: int | None
    reason: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look as people are shown it: when it was, what it concluded, what nodes answered to how many requests."""

    at: datetime
    judgement: Judgement
    evidence: tuple[Sighting, ...]
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What gateways say of a process (ao-facts.md, section 5). `tags` has the spawn tags, names as spawned."""

    process: ProcessId
    owner: str
    name: str | None = None
    module: str | None = None
    variant: str | None = None
    spawned_at: datetime | None = None
    tags: tuple[tuple[str, str], ...] = ()


class Outcome(StrEnum):
    """What came of a message that reached a process."""

    PATCHED = "patched"
    NO_HANDLER = "no-handler"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The newest message with a migration's action that reached a process, and what came of it.

    `at` is None until it is mined. `error` is what the compute unit said of a message that failed, a stranger's text.
    """

    message: str
    sender: str
    at: datetime | None
    outcome: Outcome
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCard:
    """All that one person may see of one registration.

    `status` is the confirmed one and `since` when it was first confirmed; `latest` is what the look at `checked_at`
    concluded, which may differ while a change waits for its confirmation. Nothing here tells whether others follow the
    process, or when they look at it.
    """

    registration_id: int
    process: ProcessId
    role: Role
    status: Verdict
    since: datetime | None = None
    label: str | None = None
    metadata: Metadata | None = None
    keys: tuple[str, ...] = ()
    action: str = DEFAULT_ACTION
    latest: Judgement | None = None
    checked_at: datetime | None = None
    evidence: tuple[Sighting, ...] = ()
    requests: int = 0
    next_check: datetime | None = None
    next_reminder: datetime | None = None
    rest: Rest | None = None
    stopped: bool = False
    blocked: Blocked | None = None
    sign_url: str | None = None
    no_sign_link: NoSignLink | None = None
    arrival: Arrival | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationProgress:
    """Distinct processes registered as *Mine* in one migration, each counted once by its confirmed status.

    `unreadable` are those that no healthy node could read for 72 hours, which their owners were told. Of the `blocked`
    ones, `for_developers` are work for the app's developers.
    """

    migration_id: int
    title: str
    deadline: datetime | None
    patched: int
    not_patched: int
    unknown: int
    unreadable: int = 0
    blocked: int = 0
    for_developers: int = 0

    @property
    def total(self) -> int:
        """All distinct processes registered as theirs."""
        return self.patched + self.not_patched + self.unknown + self.unreadable + self.blocked


FEWEST_WITH_A_REASON = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How many people a server's migrations have, each once, and how many of them cannot be reached, and why.

    `reasons`: how many of those who stopped gave which one, the most frequent first.
    """

    people: int
    stopped: int
    closed: int
    strangers: int
    reasons: tuple[tuple[str, int], ...] = ()

    @property
    def lost(self) -> int:
        """Those who pressed *Stop* or refuse DMs."""
        return self.stopped + self.closed + self.strangers

    @property
    def told_reasons(self) -> tuple[tuple[str, int], ...]:
        """The reasons as others may see them: none while so few gave one that it could be guessed whose it is."""
        return self.reasons if sum(number for _, number in self.reasons) >= FEWEST_WITH_A_REASON else ()
