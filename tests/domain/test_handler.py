"""What the handler's text may be made from, and that no name can smuggle Lua into it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lupa import lua53

from bot.domain.handler import parse_global, render_handler, rooted
from bot.domain.keys import RESERVED
from bot.errors import BadInput, MalformedHandler, MalformedKey

ANYTHING = st.one_of(
    st.text(max_size=40),
    st.text('ab_.-/"\\]=[ \n;()@', max_size=20),
    st.sampled_from(['"}} os.exit() --', "a\\", '\\"', "]]", "@DECLARED@", "@ACTION@", "a\nb", "\0", "é", "a.b.c"]),
)

pytestmark = pytest.mark.lua


def declared(text: str) -> list[tuple[list[str], list[str]]]:
    """Run only the table of declarations in a real Lua, and give it back."""
    table = text[text.index("StatePatch.declared = {") : text.index("\ndo\n")]
    lua = lua53.LuaRuntime(register_eval=False, register_builtins=False)
    entries = lua.execute(f"StatePatch = {{}}\n{table}\nreturn StatePatch.declared")
    return [(list(entry.path.values()), list(entry.names.values())) for entry in entries.values()]


def test_paths_and_globals_arrive_in_lua() -> None:
    text = render_handler({"cache/balances": "Balances", "token-info": "Token.Info", "a/b/c/d": "_x1"})
    assert declared(text) == [
        (["cache", "balances"], ["Balances"]),
        (["token-info"], ["Token", "Info"]),
        (["a", "b", "c", "d"], ["_x1"]),
    ]


def test_the_text_says_what_it_is_and_for_what() -> None:
    head = render_handler({"cache/balances": "Balances"}).split("StatePatch.declared")[0]
    assert "aos 2.0.x" in head
    assert "Patchbell" in head
    assert "moves no tokens" in head
    assert "@" not in head.replace("patch@1.0", "")


@settings(max_examples=300, deadline=None)
@given(path=ANYTHING, name=ANYTHING, action=st.one_of(st.just("EnableStatePatch"), ANYTHING))
def test_no_name_can_leave_its_quotes(path: str, name: str, action: str) -> None:
    try:
        text = render_handler({path: name}, action=action)
    except BadInput:
        return
    assert declared(text) == [(path.strip().strip("/").lower().split("/"), name.strip().split("."))]
    assert re.fullmatch("[A-Za-z0-9-]+", action)
    assert around(text) == around(render_handler({"k": "G"}, action=action))


def around(text: str) -> tuple[str, str]:
    """Give what stands before and after the declarations."""
    return text[: text.index("StatePatch.declared = {")], text[text.index("\ndo\n") :]


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a.", ".a", "a..b", "a b", 'a"b', "a[1]", "a()", "é", "x" * 129])
def test_what_is_no_name_of_a_global_is_refused(name: str) -> None:
    with pytest.raises(MalformedHandler, match="Lua name"):
        parse_global(name)


@pytest.mark.parametrize("name", ["_G", "ao", "Handlers", "Inbox", "Owner", "ao.env", "StatePatch", "string.rep"])
def test_what_belongs_to_aos_is_never_shown(name: str) -> None:
    with pytest.raises(MalformedHandler, match="never published"):
        render_handler({"k": name})


@pytest.mark.parametrize("name", ["end", "Token.nil", "while"])
def test_words_of_lua_are_refused(name: str) -> None:
    with pytest.raises(MalformedHandler, match="word of Lua"):
        parse_global(name)


@pytest.mark.parametrize("path", [*sorted(RESERVED), "cache/status", "Cache/Now", "a/b/c/d/e", "a?b", "a#b", "a%b", ""])
def test_reserved_and_malformed_paths_are_refused(path: str) -> None:
    with pytest.raises(MalformedKey):
        render_handler({path: "Balances"})


@pytest.mark.parametrize("path", ["type", "module", "authority", "data", "target", "variant/x"])
def test_a_processs_own_definition_cannot_be_overwritten(path: str) -> None:
    with pytest.raises(MalformedKey, match=f"publish cache/{path} instead"):
        render_handler({path: "Balances"})
    assert render_handler({f"cache/{path}": "Balances"})


def test_paths_inside_each_other_and_twice_the_same_are_refused() -> None:
    with pytest.raises(MalformedKey, match="lies inside"):
        render_handler({"cache": "State", "cache/balances": "Balances"})
    with pytest.raises(MalformedHandler, match="twice"):
        render_handler({"Balances": "Balances", "balances": "Balances"})


def test_none_and_too_many_keys_are_refused() -> None:
    with pytest.raises(MalformedHandler, match="at least one"):
        render_handler({})
    with pytest.raises(MalformedHandler, match="32 at most"):
        render_handler({f"k{number}": "G" for number in range(33)})


def test_another_action_is_listened_to() -> None:
    text = render_handler({"k": "G"}, action="Migrate-State")
    assert len(re.findall("Migrate-State", text)) == 5
    assert "EnableStatePatch" not in text


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("points", "cache", "cache/points"),
        ("cache/points", "cache", "cache/points"),
        ("Cache/points", "cache", "Cache/points"),
        ("points", "none", "points"),
        ("cache/points", "none", "cache/points"),
    ],
)
def test_keys_go_under_the_root_that_was_asked_for(path: str, root: str, expected: str) -> None:
    assert rooted({path: "Points"}, root) == {expected: "Points"}
    assert render_handler(rooted({path: "Points"}, root))


def test_there_is_no_other_root_and_what_the_handler_says_of_itself_is_no_key() -> None:
    with pytest.raises(BadInput, match="cache or none"):
        rooted({"a": "A"}, "home")
    with pytest.raises(MalformedKey, match="belongs to the process's own"):
        render_handler({"statepatch": "A"})
