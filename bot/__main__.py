"""The command line: `python -m bot run | check | handler | doctor | database | reminders`.

Exit codes follow sysexits where they fit: 64 a wrong argument, 69 something needed is missing, 78 wrong configuration.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bot.clock import utc_now
from bot.errors import AlreadyRunning, BadInput, ConfigurationError, PatchbellError
from bot.logs import configure_logs
from bot.settings import Settings, load_settings

if TYPE_CHECKING:
    from bot.domain.card import Reached
    from bot.services.places import Places
    from bot.store.database import Database
    from bot.store.guilds import Guild

EXIT_USAGE, EXIT_UNAVAILABLE, EXIT_CONFIGURATION = 64, 69, 78

app = typer.Typer(
    help="Patchbell rings until you are patched.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # they are hundreds of lines, with local variables among them
)
database = typer.Typer(help="Look after the database.", no_args_is_help=True)
app.add_typer(database, name="database")
reminders = typer.Typer(help="Hold all reminders, and let them go on.", no_args_is_help=True)
app.add_typer(reminders, name="reminders")

Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Read this instead of ./config.toml.")]


@contextmanager
def _one_sentence() -> Generator[None]:
    """End the program with one sentence, where it cannot go on."""
    try:
        yield
    except ConfigurationError as error:
        _end(str(error), EXIT_CONFIGURATION)
    except BadInput as error:
        _end(str(error), EXIT_USAGE)
    except AlreadyRunning as error:
        _end(str(error), EXIT_UNAVAILABLE)
    except PatchbellError as error:
        _end(str(error), EXIT_UNAVAILABLE)


def _end(sentence: str, code: int) -> None:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)


@app.callback()
def quietly() -> None:
    """Keep logs out of what the commands print; `run` turns them on."""
    configure_logs(level=logging.CRITICAL)


@app.command()
def run(config: Config = None) -> None:
    """Start Patchbell on Discord: client, sweep, reminders, delivery and web server, until it is told to stop."""
    with _one_sentence():
        settings = load_settings(config)
        if settings.discord.token is None:
            raise ConfigurationError(
                "There is no Discord token: set PATCHBELL_DISCORD__TOKEN, or token under [discord] in config.toml."
            )
        from bot.serving import Cogs, serve  # a second of imports, which a refusal need not wait for

        configure_logs()
        asyncio.run(serve(settings, cast(Cogs, import_module("cogs"))))


# An id may begin with a hyphen (one in 64 does): what is no option of ours is one.
@app.command(context_settings={"ignore_unknown_options": True})
def check(
    processes: Annotated[list[str], typer.Argument(metavar="PID...", help="One or more process ids.")],
    config: Config = None,
    node: Annotated[list[str] | None, typer.Option(metavar="URL", help="Ask this node (repeat for more).")] = None,
    key: Annotated[list[str] | None, typer.Option(metavar="KEY", help="Expect this key (repeat for more).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list for scripts.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Print the reasoning too.")] = False,
) -> None:
    """Say whether processes are patched, with the evidence.

    Exit code: 64 if an id is malformed, else 2 if any is unknown or not found, else 1 if any is not patched, else 0.
    """
    from bot.check import run_check

    with _one_sentence():
        settings = load_settings(config)
        report = asyncio.run(run_check(settings, processes, keys=key or (), nodes=node or ()))
    print(report.as_json() if as_json else report.as_text(explain=explain))
    raise typer.Exit(report.exit_code)


@app.command()
def handler(
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH=GLOBAL", help="Show this Lua global at this path (repeat for more)."),
    ] = None,
    root: Annotated[
        str, typer.Option(metavar="cache|none", help="Put the keys under cache, or at the root.")
    ] = "cache",
    off: Annotated[bool, typer.Option("--off", help="Print what turns the handler off again.")] = False,
) -> None:
    """Print the process-side handler, to Eval in your own process; without --key, the one for a token."""
    from bot.domain.handler import render_handler, render_off, rooted

    with _one_sentence():
        if off and key:
            raise BadInput("--off is the same for every handler: leave --key out.")
        text = render_off() if off else render_handler(rooted(_exposures(key) if key else _shown_by_tokens(), root))
    sys.stdout.write(text)  # to the byte, so that its sha256 is the published one


def _shown_by_tokens() -> dict[str, str]:
    from bot.domain.presets import DEFAULT_PRESET, load_presets

    return {key.key: key.lua_global for key in load_presets()[DEFAULT_PRESET].keys if key.lua_global is not None}


def _exposures(pairs: list[str]) -> dict[str, str]:
    """Read `path=GlobalName` pairs. Raises BadInput."""
    exposures: dict[str, str] = {}
    for pair in pairs:
        path, found, name = pair.partition("=")
        if not found:
            raise BadInput(f"Write --key as path=GlobalName, like cache/balances=Balances; {pair!r} has no '='.")
        if path in exposures:
            raise BadInput(f"--key names {path} twice.")
        exposures[path] = name
    return exposures


@app.command()
def doctor(config: Config = None) -> None:
    """Look at configuration, database, Discord, nodes and gateways, and say what to do. Exit code 1 if it can't run."""
    with _one_sentence():
        settings = load_settings(config)
    print("ok     configuration: every key is known")
    if asyncio.run(_examine(settings)):
        raise typer.Exit(1)


async def _examine(settings: Settings) -> bool:
    from bot.ao.opening import open_reading
    from bot.doctor import examine

    fatal = False
    async with open_reading(settings) as opened:
        async for finding in examine(settings, transport=opened.transport, reader=opened.reader):
            print(finding.line, flush=True)
            fatal = fatal or finding.fatal
    return fatal


@reminders.command()
def hold(
    hours: Annotated[float, typer.Option(min=0.1, max=720, help="For how long.")] = 2.0, config: Config = None
) -> None:
    """Remind nobody for some hours, also while Patchbell runs: for maintenance."""
    until = utc_now() + timedelta(hours=hours)
    with _one_sentence():
        asyncio.run(_hold_reminders(load_settings(config), until))
    print(f"Nobody is reminded before {until:%Y-%m-%d %H:%M} UTC.")


@reminders.command()
def resume(
    server: Annotated[
        int | None, typer.Option(metavar="ID", help="Of this server alone, which too many people left.")
    ] = None,
    config: Config = None,
) -> None:
    """Let reminders go on, also while Patchbell runs; those that were due meanwhile come now."""
    with _one_sentence():
        settings = load_settings(config)
        asyncio.run(_hold_reminders(settings, None) if server is None else _end_pause(settings, server))
    print("Reminders go on." if server is None else f"The reminders of the server {server} go on.")


@reminders.command()
def paused(config: Config = None) -> None:
    """List the servers whose reminders are paused, because too many there pressed Stop or refuse DMs."""
    with _one_sentence():
        found = asyncio.run(_paused(load_settings(config)))
    for each, reached in found:
        print(
            f"{each.guild_id}  since {each.paused_at:%Y-%m-%d %H:%M} UTC: of {reached.people} people {reached.stopped} "
            f"pressed Stop, {reached.closed} take no DMs, {reached.strangers} share no server with me"
        )
    if not found:
        print("No server's reminders are paused.")


async def _hold_reminders(settings: Settings, until: datetime | None) -> None:
    from bot.services import holds

    async with _opened(settings) as database, database.write() as connection:
        if until is None:
            await holds.end(connection, holds.MAINTENANCE)
        else:
            await holds.hold_until(connection, holds.MAINTENANCE, until)


async def _paused(settings: Settings) -> list[tuple[Guild, Reached]]:
    async with _opened(settings) as database:
        return await _places(database, settings).paused()


async def _end_pause(settings: Settings, guild_id: int) -> None:
    async with _opened(settings) as database:
        if not await _places(database, settings).end_pause(guild_id):
            raise BadInput(f"The reminders of the server {guild_id} are not paused.")


def _places(database: Database, settings: Settings) -> Places:
    from bot.services.agenda import Agenda
    from bot.services.alarms import Alarms
    from bot.services.places import Places

    return Places(
        database, Agenda(settings.reminders, settings.checks), Alarms(database, settings, utc_now), settings, utc_now
    )


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncGenerator[Database]:
    from bot.store.database import open_database

    database = await open_database(settings.database.url)
    try:
        yield database
    finally:
        await database.close()


@database.command()
def upgrade(config: Config = None) -> None:
    """Make or upgrade the schema, as `run` does at its start."""
    from bot.store.database import open_database

    async def once(url: str) -> None:
        await (await open_database(url)).close()

    with _one_sentence():
        asyncio.run(once(load_settings(config).database.url))
    print("The schema is the newest.")


if __name__ == "__main__":
    app()
