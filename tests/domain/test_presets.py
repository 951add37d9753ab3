"""Presets: the shipped ones, an operator's own, and one clear sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.presets import DEFAULT_PRESET, load_presets
from bot.errors import ConfigurationError


def write(folder: Path, name: str, text: str | bytes) -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_the_shipped_ones_are_those_of_the_field() -> None:
    presets = load_presets()
    assert set(presets) == {*("token", "ario-ant", "permaweb-zone", "permaweb-asset", "permaweb-collection", "cache")}
    assert presets["permaweb-collection"].required == ("collection",)
    assert presets["cache"].required == ()
    assert presets["ario-ant"].required == ("cache",)
    assert presets["permaweb-zone"].handler is None, "their own code decides the shape"


def test_the_default_asks_for_balances_and_publishes_a_tokens_globals() -> None:
    token = load_presets()[DEFAULT_PRESET]
    assert token.required == ("balances",)
    assert token.keys[0].paths == ("cache/balances", "balances")
    assert token.globals["cache/balances"] == "Balances"
    assert token.action == "EnableStatePatch"
    assert token.handler is not None
    assert '{ path = { "cache", "balances" }, names = { "Balances" } }' in token.handler


def test_an_operators_preset_is_read_and_wins_over_a_shipped_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        "vault.toml",
        """
        title = "  Vault   of ours "
        action = "Show-State"
        [[keys]]
        key = "Vault-Configuration"
        paths = ["vault-configuration", "cache/vault"]
        lua_global = "Vault.Config"
        [[keys]]
        key = "metrics"
        required = false
        """,
    )
    write(tmp_path, "token.toml", 'title = "Our token"\nkeys = [{ key = "holders" }]')
    write(tmp_path, "notes.txt", "not a preset")
    presets = load_presets(tmp_path)
    vault = presets["vault"]
    assert (vault.title, vault.action, vault.required) == ("Vault of ours", "Show-State", ("vault-configuration",))
    assert vault.globals == {"vault-configuration": "Vault.Config"}
    assert "Show-State" in (vault.handler or "")
    assert presets["token"].required == ("holders",)
    assert "cache" in presets


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = ", "not valid TOML"),
        (b"title = '\xff'", "not valid TOML"),
        ("keys = []", "wrong at title"),
        ("title = ''\nkeys = []", "wrong at title"),
        ("title = 'x'", "wrong at keys"),
        ("title = 'x'\nkeys = []\nkyes = []", "wrong at kyes"),
        ("title = 'x'\nkeys = [{ key = 'status' }]", "reserved"),
        ("title = 'x'\nkeys = [{ key = 'a/b/c/d/e' }]", "at most 4 parts"),
        ("title = 'x'\nkeys = [{ key = 'a', paths = ['b#'] }]", "letters a-z"),
        ("title = 'x'\nkeys = [{ key = 'a', paths = [] }]", "wrong at keys.0.paths"),
        ("title = 'x'\nkeys = [{ key = 'a' }, { key = 'A' }]", "named twice"),
        ("title = 'x'\nkeys = [{ key = 'a', lua_global = 'os.exit()' }]", "Lua name"),
        ("title = 'x'\nkeys = [{ key = 'a', lua_global = 'ao' }]", "belongs to aos"),
        ('title = "x"\nkeys = [{ key = "a", lua_global = "A\\nos.exit()" }]', "Lua name"),
        ('title = "x"\nkeys = [{ key = "a", lua_global = "A\\" }, } }"}]', "Lua name"),
        ('title = "x"\nkeys = [{ key = "a", lua_global = "A.B]] --" }]', "Lua name"),
        ('title = "x"\nkeys = [{ key = "a", lua_global = "_G.ao" }]', "belongs to aos"),
        ('title = "x"\nkeys = [{ key = "a", lua_global = "А" }]', "Lua name"),  # a Cyrillic letter
        ('title = "x"\nkeys = [{ key = "a", paths = ["a\\" } }"], lua_global = "A" }]', "letters a-z"),
        ('title = "x"\nkeys = [{ key = "a", paths = ["statepatch/a"], lua_global = "A" }]', "definition"),
        ('title = "x"\nkeys = [{ key = "a", lua_global = ["A"] }]', "wrong at keys.0.lua_global"),
        ('title = "x"\naction = "Eval\\n"\nkeys = [{ key = "a", lua_global = "A" }]', "action"),
        ('title = "x"\naction = "Burn()"\nkeys = [{ key = "a" }]', "action"),
        ("title = 'x'\naction = 'a b'\nkeys = [{ key = 'a', lua_global = 'A' }]", "action"),
        (
            "title = 'x'\nkeys = [{ key = 'c', paths = ['cache'], lua_global = 'A' }, { key = 'd', lua_global = 'B' }]",
            "inside",
        ),
        ("title = 'x'\nkeys = [" + ",".join(f"{{ key = 'k{n}' }}" for n in range(33)) + "]", "wrong at keys"),
        (b"#" * 65537, "larger than 64 KiB"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_presets(write(tmp_path, "mine.toml", text))
    sentence = str(caught.value)
    assert words in sentence
    assert "mine.toml" in sentence
    assert "\n" not in sentence


def test_a_bad_name_too_many_files_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no folder of presets"):
        load_presets(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="needs a name"):
        load_presets(write(tmp_path, "My Preset.toml", "title = 'x'\nkeys = []"))
    (tmp_path / "My Preset.toml").unlink()
    for number in range(101):
        write(tmp_path, f"p{number}.toml", "")
    with pytest.raises(ConfigurationError, match="100 are the most"):
        load_presets(tmp_path)
    for number in range(101):
        (tmp_path / f"p{number}.toml").unlink()
    (tmp_path / "mine.toml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_presets(tmp_path)
