"""Configuration: `config.toml`, then `PATCHBELL_…__…` from the environment. Built by the command line, never at import.

Every field is documented in `config.example.toml`; a test holds that file and this one together.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Self, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from yarl import URL

from bot.errors import ConfigurationError

ENVIRONMENT_PREFIX = "PATCHBELL_"
DELIMITER = "__"
DEFAULT_CONFIG = Path("config.toml")


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine only."""
    host = URL(url).host or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DiscordSettings(_Section):
    """Which Discord to speak to. With only `api_url` set, the gateway's address comes from `/gateway/bot` there."""

    token: SecretStr | None = None
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str | None = None

    @field_validator("token")
    @classmethod
    def _empty_is_none(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value is not None and value.get_secret_value().strip() else None


class DatabaseSettings(_Section):
    """Where state is kept: an SQLAlchemy URL."""

    url: str = "sqlite+aiosqlite:///patchbell.db"


LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class WebSettings(_Section):
    """The bot's own web server, and how people reach it.

    What a proxy on this machine says of whom it speaks for is believed as shipped: nobody else reaches us by loopback.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = LOOPBACK

    @field_validator("public_url")
    @classmethod
    def _origin_only(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = URL(value)
        if url.scheme not in ("http", "https") or not url.host or url != url.origin() / "":
            raise ValueError("must look like https://patchbell.example.org, with no path")
        return str(url.origin())


class NodeSettings(_Section):
    """One HyperBEAM node. Nodes of one operator are one voice; unnamed, it is the host's last two labels."""

    url: str
    operator: str = ""

    @property
    def voice(self) -> str:
        """Name whose word this node's answers are."""
        return self.operator or operator_of(self.url)


def operator_of(url: str) -> str:
    """Guess who runs a node from its host: `push-1.forward.computer` → `forward.computer`; an address is itself."""
    host = URL(url).host or url
    try:
        ip_address(host)
    except ValueError:
        return ".".join(host.lower().split(".")[-2:])
    return host


def _default_nodes() -> tuple[NodeSettings, ...]:
    urls = ("https://push-1.forward.computer", "https://alpha.neo.zephyrdev.xyz", "https://hyperbeam.ar.io")
    return tuple(NodeSettings(url=url) for url in urls)


class AoSettings(_Section):
    """The AO network: who is asked, and where the signing page posts (hosts move: ao-facts.md, section 6).

    A node or gateway whose public name leads to a private address is refused unless `private_origins` has its URL.
    """

    nodes: tuple[NodeSettings, ...] = Field(default_factory=_default_nodes, min_length=1, max_length=32)
    gateways: tuple[str, ...] = (
        "https://arweave.net/graphql",
        "https://arweave-search.goldsky.com/graphql",
        "https://ao-search-gateway.goldsky.com/graphql",
    )
    private_origins: tuple[str, ...] = ()
    mu_url: str = "https://mu.ao-testnet.xyz"
    cu_url: str = "https://cu.ao-testnet.xyz"
    su_url: str = "https://su-router.ao-testnet.xyz"
    allowed_hosts: tuple[str, ...] = ("https://*.ao-testnet.xyz",)

    @field_validator("nodes", mode="before")
    @classmethod
    def _plain_urls(cls, value: object) -> object:
        if isinstance(value, (list, tuple)):
            items = cast(Sequence[object], value)
            return [{"url": item} if isinstance(item, str) else item for item in items]
        return value


_YEAR = timedelta(days=365)
Days = tuple[Annotated[int, Field(ge=0, le=3650)], ...]


class CheckSettings(_Section):
    """How often and how hard processes are looked at."""

    timeout: timedelta = Field(default=timedelta(seconds=15), gt=timedelta(0), le=timedelta(minutes=5))
    now_timeout: timedelta = Field(default=timedelta(seconds=120), gt=timedelta(0), le=timedelta(minutes=15))
    requests_per_minute: int = Field(default=600, ge=1)
    now_per_hour: int = Field(default=60, ge=0)
    concurrency: int = Field(default=32, ge=1, le=512)
    batch: int = Field(default=100, ge=1, le=1000)
    unpatched_interval: timedelta = Field(default=timedelta(hours=6), ge=timedelta(seconds=10), le=_YEAR)
    patched_interval: timedelta = Field(default=timedelta(hours=24), ge=timedelta(seconds=10), le=_YEAR)
    hint_interval: timedelta = Field(default=timedelta(minutes=5), ge=timedelta(0), le=timedelta(days=1))
    after_signature: timedelta = Field(default=timedelta(seconds=5), gt=timedelta(0), le=timedelta(hours=1))
    confirm_after: timedelta = Field(default=timedelta(hours=1), ge=timedelta(minutes=1), le=timedelta(days=7))
    unreadable_after: timedelta = Field(default=timedelta(hours=72), ge=timedelta(hours=1), le=_YEAR)


class ReminderSettings(_Section):
    """When people are reminded. Times of day are in UTC until a person gives a time zone."""

    deadline_days: Days = (30, 14, 7, 3, 1)
    after_days: Days = (1, 2, 3, 10, 17, 24, 31, 38)
    gap_days: Annotated[Days, Field(min_length=1)] = (7, 7, 7, 7, 14, 14, 30, 30, 30)
    at_least_apart: timedelta = Field(default=timedelta(days=1), ge=timedelta(days=1), le=_YEAR)
    at_most_apart: timedelta = Field(default=timedelta(days=30), ge=timedelta(days=1), le=_YEAR)
    at_most: int = Field(default=40, ge=1, description="Where no date is ahead: nothing reminds for ever")
    spread: timedelta = Field(default=timedelta(hours=4), ge=timedelta(minutes=1), le=timedelta(days=1))
    quiet_from: int = Field(default=22, ge=0, le=23)
    quiet_until: int = Field(default=8, ge=0, le=23)
    together: timedelta = Field(default=timedelta(minutes=10), ge=timedelta(0), le=timedelta(days=1))
    maintenance: bool = False
    pause_share: float = Field(default=0.1, gt=0, le=1)
    pause_people: int = Field(default=20, ge=1)
    messages_per_second: float = Field(
        default=10, gt=0, le=40, description="Requests; of Discord's 50 a second for all that a bot does"
    )
    new_dms_per_minute: float = Field(
        default=10, ge=1, le=60, description="Discord blocks bots that open many conversations at once"
    )

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.at_least_apart > self.at_most_apart:
            raise ValueError("at_least_apart must be no longer than at_most_apart")
        return self


class RegistrationSettings(_Section):
    """Limits on what one person may follow and list."""

    max_per_person: int = Field(default=200, ge=1, le=10_000)
    wallet_lookups_per_day: int = Field(default=20, ge=1)


class PrivacySettings(_Section):
    """How long something is kept of people once its time is over."""

    retention_days: int = Field(default=90, ge=1, le=3650)

    @property
    def keeps(self) -> timedelta:
        """How long."""
        return timedelta(days=self.retention_days)


class AlertSettings(_Section):
    """Where alarms go beside the operators' DMs: a URL that takes `{"content": "…"}`."""

    webhook_url: SecretStr | None = None


class Settings(BaseSettings):
    """Everything that can be configured. Use `load_settings`, which turns pydantic's errors into sentences."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter=DELIMITER, extra="forbid", frozen=True
    )

    discord: DiscordSettings = DiscordSettings()
    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    ao: AoSettings = AoSettings()
    checks: CheckSettings = CheckSettings()
    reminders: ReminderSettings = ReminderSettings()
    registrations: RegistrationSettings = RegistrationSettings()
    privacy: PrivacySettings = PrivacySettings()
    alerts: AlertSettings = AlertSettings()
    operators: tuple[int, ...] = ()
    presets: Path | None = None

    @property
    def sign_origin(self) -> str | None:
        """Give the origin that sign links may carry, or None where no link may be made.

        https is required; loopback http counts only where Discord itself is on loopback (issue 2).
        """
        url = self.web.public_url
        if url is None:
            return None
        if url.startswith("https://") or (is_loopback(url) and is_loopback(self.discord.api_url)):
            return url
        return None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, and nothing else take part."""
        return (env_settings, init_settings)


def load_settings(config: Path | None = None) -> Settings:
    """Read `config` (or `./config.toml` where it exists) and the environment.

    Raises ConfigurationError with one sentence that names the key and, where one is near, the right name.
    """
    path = config or DEFAULT_CONFIG
    if config is not None and not path.is_file():
        raise ConfigurationError(f"There is no configuration file {path}.")
    _refuse_unknown_variables(os.environ)
    try:
        values = TomlConfigSettingsSource(Settings, path if path.is_file() else None)()
        return Settings(**values)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}.") from error
    except ValidationError as error:
        raise ConfigurationError(_sentence(error)) from error


def known_names() -> Iterator[str]:
    """Yield each setting's dotted name."""
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, _Section):
            yield from (f"{name}.{inner}" for inner in section.model_fields)
        else:
            yield name


def variable_of(name: str) -> str:
    """Give the environment variable of a dotted name."""
    return ENVIRONMENT_PREFIX + name.upper().replace(".", DELIMITER)


def _refuse_unknown_variables(environment: Iterable[str]) -> None:
    known = {variable_of(name) for name in known_names()} | {variable_of(name) for name in Settings.model_fields}
    for variable in sorted(environment):
        if variable.upper().startswith(ENVIRONMENT_PREFIX) and variable.upper() not in known:
            raise ConfigurationError(f"Unknown environment variable {variable}{_nearest(variable.upper(), known)}")


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else "."


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"Unknown setting {name}{_nearest(name, {*known_names(), *Settings.model_fields})}"
    return f"The setting {name} ({variable_of(name)}) is wrong: {first['msg'].removeprefix('Value error, ')}."
