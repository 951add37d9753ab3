"""Configuration: what is refused and with which words, and that the example documents every field."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from bot.errors import ConfigurationError
from bot.settings import Settings, is_loopback, known_names, load_settings, operator_of

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start without anybody's config.toml or variables."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("PATCHBELL_")]:
        monkeypatch.delenv(variable)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "written.toml"
    path.write_text(text)
    return path


def uncommented_example() -> str:
    return re.sub(r"^# (?=[a-z_]+ = )", "", EXAMPLE.read_text(), flags=re.MULTILINE)


def test_the_example_as_it_is_changes_nothing(tmp_path: Path) -> None:
    assert load_settings(EXAMPLE) == Settings()


def test_the_example_documents_every_field_and_no_other() -> None:
    values = tomllib.loads(uncommented_example())
    sections = {name for name, value in values.items() if isinstance(value, dict)}
    shown = {f"{section}.{key}" for section in sections for key in values[section]} | (values.keys() - sections)
    assert shown == set(known_names())


def test_the_example_shows_the_values_that_hold(tmp_path: Path) -> None:
    shown = load_settings(written(tmp_path, uncommented_example())).model_dump(mode="json")
    held = Settings().model_dump(mode="json")
    examples = {
        "discord": {"token", "gateway_url"},
        "web": {"public_url"},
        "alerts": {"webhook_url"},
    }
    for section, fields in examples.items():
        for field in fields:
            shown[section].pop(field), held[section].pop(field)
    shown.pop("presets"), held.pop("presets")
    assert shown == held


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[discord]\ntokn = "x"', "Unknown setting discord.tokn; did you mean discord.token?"),
        ("[chekcs]\nbatch = 1", "Unknown setting chekcs; did you mean checks?"),
        ('[web]\nport = "many"', r"The setting web.port \(PATCHBELL_WEB__PORT\) is wrong: .*integer"),
        ('[web]\npublic_url = "patchbell.example"', "web.public_url .* must look like https://"),
        ('[web]\npublic_url = "https://example.org/bell"', "web.public_url .* with no path"),
        ('[checks]\ntimeout = "-PT5S"', "checks.timeout .* greater than 0 seconds"),
        ('[checks]\nnow_timeout = "PT0S"', "checks.now_timeout .* greater than 0 seconds"),
        ('[checks]\nunpatched_interval = "PT0S"', "checks.unpatched_interval .* equal to 10 seconds"),
        ('[checks]\npatched_interval = "P99999D"', "checks.patched_interval .* equal to 365 days"),
        ('[checks]\nafter_signature = "-PT1S"', "checks.after_signature .* greater than 0 seconds"),
        ('[checks]\nconfirm_after = "-PT1H"', "checks.confirm_after .* equal to 1 minute"),
        ('[checks]\nunreadable_after = "PT0S"', "checks.unreadable_after .* equal to 1 hour"),
        (
            '[reminders]\nat_least_apart = "P31D"',
            r"reminders \(PATCHBELL_REMINDERS\) is wrong: at_least_apart must be no longer than at_most_apart\.$",
        ),
        ("[ao]\nnodes = []", "ao.nodes .* at least 1"),
        ("[web", "is not valid TOML"),
    ],
)
def test_wrong_files_are_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as refusal:
        load_settings(written(tmp_path, text))
    assert "\n" not in str(refusal.value)


def test_unknown_variables_are_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHBELL_DISCORD_TOKEN", "x")
    with pytest.raises(ConfigurationError, match=r"PATCHBELL_DISCORD_TOKEN; did you mean PATCHBELL_DISCORD__TOKEN\?"):
        load_settings()


def test_a_missing_named_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no configuration file .*absent.toml"):
        load_settings(tmp_path / "absent.toml")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHBELL_WEB__PORT", "99")
    monkeypatch.setenv("PATCHBELL_AO__NODES", '["http://127.0.0.1:1"]')
    settings = load_settings(written(tmp_path, '[web]\nport = 5\nhost = "::1"'))
    assert (settings.web.port, settings.web.host, settings.ao.nodes[0].url) == (99, "::1", "http://127.0.0.1:1")


@pytest.mark.parametrize("token", ["", "  "])
def test_an_empty_token_is_none(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("PATCHBELL_DISCORD__TOKEN", token)
    assert load_settings().discord.token is None


@pytest.mark.parametrize(
    ("public_url", "api_url", "origin"),
    [
        ("https://bell.example/", "https://discord.com/api/v10", "https://bell.example"),
        ("http://bell.example", "http://127.0.0.1:9/api/v10", None),
        ("http://127.0.0.1:8080", "https://discord.com/api/v10", None),
        ("http://127.0.0.1:8080", "http://localhost:9/api/v10", "http://127.0.0.1:8080"),
    ],
)
def test_sign_links_need_https_or_a_wholly_local_loop(
    monkeypatch: pytest.MonkeyPatch, public_url: str, api_url: str, origin: str | None
) -> None:
    monkeypatch.setenv("PATCHBELL_WEB__PUBLIC_URL", public_url)
    monkeypatch.setenv("PATCHBELL_DISCORD__API_URL", api_url)
    assert load_settings().sign_origin == origin


def test_nodes_of_one_domain_are_one_voice() -> None:
    assert operator_of("https://push-1.forward.computer") == operator_of("https://PUSH-2.forward.computer")
    assert operator_of("https://alpha.neo.zephyrdev.xyz") != operator_of("https://hyperbeam.ar.io")
    assert operator_of("http://127.0.0.1:80") == "127.0.0.1"


def test_loopback_is_told_by_address_not_by_name() -> None:
    assert is_loopback("http://[::1]:1")
    assert not is_loopback("http://127.0.0.1.example.org")
