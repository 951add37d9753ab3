"""What `make run` starts: Patchbell on Discord where a token is configured, the sandbox where none is."""

from __future__ import annotations

import os
import sys

from bot.errors import ConfigurationError
from bot.settings import load_settings


def main() -> None:
    """Replace this process by the one that is wanted."""
    try:
        token = load_settings().discord.token
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(78)
    module, *arguments = ("bot", "run") if token else ("sandbox",)
    if not token:
        print("No Discord token is configured, so this is the sandbox: nothing in it is real.", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    main()
