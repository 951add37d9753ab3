"""The house keeps its one direction: who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Folder → what nothing in it may import.
CLOSED = {
    "bot": ("cogs", "sandbox", "tests"),
    "bot/domain": (
        *("bot.ao", "bot.store", "bot.services", "bot.web", "bot.settings"),
        *("discord", "sqlalchemy", "httpx", "aiohttp"),
    ),
    "bot/ao": ("bot.store", "bot.services", "bot.web", "discord", "sqlalchemy"),
    "bot/store": ("bot.ao", "bot.services", "bot.web", "discord", "httpx"),
    "bot/services": ("discord", "bot.client"),
    "bot/web": ("discord", "bot.store", "bot.client"),
    "cogs": ("bot.store", "sqlalchemy", "sandbox"),
    "sandbox": ("cogs", "bot.store", "bot.services", "bot.application", "bot.client"),
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", CLOSED)
def test_nothing_is_imported_against_the_direction(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imports(path)
        if any(name == closed or name.startswith(f"{closed}.") for closed in CLOSED[folder])
    ]
    assert wrong == []
