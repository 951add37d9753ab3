"""What the handler does in a process, in a real Lua 5.3 with the sandbox's aos-like surroundings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lupa import lua53

from bot.domain.handler import render_handler, render_off
from sandbox.ao.lua import LuaProcess
from sandbox.ao.state import Table, merge, table

pytestmark = pytest.mark.lua

OWNER, STRANGER, PROCESS = "o" * 43, "s" * 43, "p" * 43
HANDLER = render_handler({"cache/balances": "Balances", "token-info": "Info"})
Send = Callable[..., dict[str, Any]]


class Aos:
    """One process. Each call is one message; what it patches is given as a list of patch messages' keys."""

    def __init__(self, lua: str) -> None:
        self.memory = LuaProcess({"Id": PROCESS, "Owner": OWNER, "Tags": []})
        self.result: dict[str, Any] = {}
        self.message("Process", lua=lua)

    def message(self, action: str, data: str = "", sender: str = OWNER, *, lua: str | None = None) -> list[Any]:
        given = {
            "Id": "m",
            "From": sender,
            "Owner": sender,
            "Tags": [{"name": "Action", "value": action}],
            "Data": data,
        }
        self.result = self.memory.handle(given, lua)
        return [patch_of(message) for message in self.result["Messages"]]

    def evaluate(self, lua: str, sender: str = OWNER) -> list[Any]:
        patches = self.message("Eval", lua, sender)
        assert "Error" not in self.result, self.result["Error"]
        return patches

    @property
    def said(self) -> str:
        return self.result["Output"]["data"]


def patch_of(message: dict[str, Any]) -> dict[str, Any]:
    tags = {tag["name"]: tag["value"] for tag in message["Tags"]}
    assert tags.pop("device") == "patch@1.0"
    assert "Target" not in message, "a patch with a target would be pushed"
    return {name: value for name, value in tags.items() if name.islower()}


@pytest.fixture
def aos() -> Aos:
    return Aos("""
      Balances = { alice = "100", bob = "5" }
      Handlers.add("Transfer", "Transfer", function(msg) Balances.bob = "6" end)
      Handlers.add("Boom", "Boom", function(msg) Balances.bob = "7" error("boom") end)
    """)


def test_installing_publishes_in_the_same_result(aos: Aos) -> None:
    assert aos.evaluate(HANDLER) == [{"cache": {"balances": {"alice": "100", "bob": "5"}}}]
    assert aos.said == "StatePatch: published cache/balances; missing or empty: Info"


def test_a_strangers_eval_and_action_do_nothing(aos: Aos) -> None:
    assert aos.message("Eval", HANDLER, STRANGER) == []
    assert aos.message("EnableStatePatch") == []
    aos.evaluate(HANDLER)
    assert aos.message("EnableStatePatch", sender=STRANGER) == []
    assert aos.message("EnableStatePatch") == [{"cache": {"balances": {"alice": "100", "bob": "5"}}}]
    assert aos.message("EnableStatePatch", sender=PROCESS) == [{"cache": {"balances": {"alice": "100", "bob": "5"}}}]


def test_only_changed_entries_are_sent_and_nothing_when_nothing_changed(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.message("Transfer", sender=STRANGER) == [{"cache": {"balances": {"bob": "6"}}}]
    assert aos.message("Transfer", sender=STRANGER) == []
    assert aos.message("Other", sender=STRANGER) == []


def test_a_later_handler_eval_and_a_resumed_receive_are_covered(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.evaluate('Info = { name = "T" }') == [{"token-info": {"name": "T"}}]
    aos.evaluate("""
      Handlers.add("Late", "Late", function(msg)
        Info.name = "waiting"
        Receive("Answer")
        Info.name = "resumed"
      end)
    """)
    aos.message("Late")
    assert aos.message("Answer")[-1] == {"token-info": {"name": "resumed"}}


def test_a_failed_message_publishes_nothing(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.message("Boom") == []
    assert "boom" in aos.result["Error"]


def test_installing_again_and_again_is_the_same(aos: Aos) -> None:
    whole = [{"cache": {"balances": {"alice": "100", "bob": "5"}}}]
    for _ in range(3):
        assert aos.evaluate(HANDLER) == whole
    assert aos.message("Transfer") == [{"cache": {"balances": {"bob": "6"}}}]
    assert aos.evaluate("return #Handlers.list") == []
    before = aos.said
    aos.evaluate("Wrapper = Handlers.evaluate")
    aos.evaluate(HANDLER)
    aos.evaluate("return #Handlers.list")
    assert aos.said == before
    aos.evaluate("return Wrapper == Handlers.evaluate")
    assert aos.said == "true", "wrapped once"


def test_it_replaces_the_usual_recipe_and_stands_before_catch_all_handlers(aos: Aos) -> None:
    aos.evaluate("""
      Handlers.add("All", function() return true end, function() end)
      Handlers.add("EnableStatePatch", "EnableStatePatch", function(msg) if msg.From ~= ao.id then return end end)
    """)
    assert aos.message("EnableStatePatch") == []
    aos.evaluate(HANDLER)
    assert aos.message("EnableStatePatch") == [{"cache": {"balances": {"alice": "100", "bob": "5"}}}]


def test_a_removed_entry_is_overwritten_and_said_once(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    aos.evaluate('Info = { name = "T", tags = { a = "x" }, list = { 1, 2 } }')
    assert aos.evaluate("Balances.bob = nil Info.name = nil Info.list = nil") == [
        {"cache": {"balances": {"bob": "0"}}, "token-info": {"name": "__ao-unset__", "list": "__ao-unset__"}}
    ]
    assert aos.evaluate("return 1") == []
    assert aos.evaluate("Balances.bob = '9'") == [{"cache": {"balances": {"bob": "9"}}}]


def test_an_emptied_table_is_overwritten_entry_by_entry_and_never_sent_empty(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.evaluate("Balances = {}") == [{"cache": {"balances": {"alice": "0", "bob": "0"}}}]
    assert aos.message("EnableStatePatch") == []
    assert aos.said == "StatePatch: nothing published; missing or empty: Balances, Info"
    assert aos.evaluate("Balances.carol = '1'") == [{"cache": {"balances": {"carol": "1"}}}]


def test_an_emptied_list_is_overwritten_and_an_empty_table_was_never_there(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.evaluate("Info = { list = { 1, 2 }, empty = {} }") == [{"token-info": {"list": [1, 2]}}]
    assert aos.evaluate("Info.list = {}") == [{"token-info": {"list": "__ao-unset__"}}]
    assert aos.evaluate("Info.empty = nil Info.list = nil") == []
    assert aos.evaluate("Info = { 1, 2 }") == [{"token-info": [1, 2]}]
    assert aos.evaluate("Info = {}") == [{"token-info": "__ao-unset__"}]
    assert aos.evaluate("return 1") == []


def test_a_global_that_vanishes_leaves_what_was_published(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.evaluate("Saved, Balances = Balances, nil") == []
    assert aos.evaluate("Balances = Saved Balances.bob = '6'") == [{"cache": {"balances": {"bob": "6"}}}]


def test_what_json_cannot_carry_is_left_out(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    patches = aos.evaluate("""
      Info = {
        text = "ok", broken = "\\xff", fn = print, nan = 0 / 0, inf = math.huge, yes = true, no = false, half = 0.5,
        large = 123456789012345678, empty = {}, nothing = { inner = print },
        list = { "a", "b" }, mixed = { "a", x = "b" }, sparse = { [1] = "a", [3] = "c" },
        [7] = "seven", ["7"] = "text", [1.5] = "float", [true] = "boolean", [""] = "empty",
        big = setmetatable({ 1, 2 }, { __tostring = function() return "99999999999999999999" end }),
        zed = { print, "b" },
      }
      Info.self = Info
      Info.deep = { Info }
      return 1
    """)
    assert patches == [
        {
            "token-info": {
                "text": "ok",
                "yes": "true",
                "no": "false",
                "half": 0.5,
                "large": "123456789012345678",
                "list": ["a", "b"],
                "mixed": {"1": "a", "x": "b"},
                "sparse": {"1": "a", "3": "c"},
                "7": "text",
                "big": "99999999999999999999",
                "zed": {"2": "b"},
            }
        }
    ]
    assert aos.evaluate("return 2") == []
    assert aos.evaluate("Info.list[3] = 'c' Info.yes = print") == [
        {"token-info": {"list": ["a", "b", "c"], "yes": "__ao-unset__"}}
    ]


@pytest.mark.parametrize("there", ["function() end", "'mine'", "{ sent = 1 }", "{}"])
def test_a_global_of_the_same_name_that_is_not_ours_is_replaced(aos: Aos, there: str) -> None:
    aos.evaluate(f"StatePatch = {there}")
    assert aos.evaluate(HANDLER) == [{"cache": {"balances": {"alice": "100", "bob": "5"}}}]


@pytest.mark.parametrize("missing", ["Handlers.prepend", "ao.send", "Handlers"])
def test_what_is_no_aos_is_left_alone_and_told(missing: str) -> None:
    lua = lua53.LuaRuntime()
    lua.execute("ao, Handlers = { send = print }, { evaluate = print, prepend = print }")
    lua.execute(f"{missing} = nil")
    assert lua.execute(HANDLER) == "StatePatch: nothing was changed, because this is no aos 2.0.x process"
    assert lua.globals().StatePatch is None


def test_an_app_may_declare_a_getter_of_its_own(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    aos.evaluate("""
      local holders = 2
      table.insert(StatePatch.declared, { path = { "cache", "holders" }, get = function() return holders end })
      Handlers.add("Join", "Join", function() holders = holders + 1 end)
    """)
    assert aos.message("Join") == [{"cache": {"holders": 3}}]
    assert aos.message("Other") == []


def test_a_very_deep_table_ends_somewhere(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    patches = aos.evaluate("""
      Info = { name = "T" }
      local at = Info
      for _ = 1, 1000 do at.down = { n = 1 } at = at.down end
    """)
    assert patches[0]["token-info"]["name"] == "T"


def test_switching_it_off_and_removing_it_harm_nothing(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.evaluate("StatePatchEnabled = false") == []
    assert aos.message("Transfer") == []
    assert aos.message("EnableStatePatch") == [{"cache": {"balances": {"alice": "100", "bob": "6"}}}]
    aos.evaluate("StatePatch = nil")
    assert aos.message("Transfer") == []
    assert "Error" not in aos.result


def test_a_fault_of_ours_never_fails_the_processs_own_message(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    aos.evaluate("Info = setmetatable({ a = 1 }, { __pairs = function() error('odd') end }) return 1")
    assert aos.message("Transfer") == [{"cache": {"balances": {"bob": "6"}}}], "another key is not held up by it"
    assert "Error" not in aos.result
    assert "odd" in aos.said
    assert aos.evaluate("setmetatable(Info, nil) return 1") == [{"token-info": {"a": 1}}]


def test_a_fault_in_the_middle_loses_nothing(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    aos.evaluate("""
      Info = { one = "1", two = "2" }
      Odd = setmetatable({}, { __tostring = function() error("odd") end })
    """)
    assert aos.evaluate("Info.one, Info.odd, Info.three = '1b', Odd, '3'") == []
    assert aos.evaluate("Info.odd = nil") == [{"token-info": {"one": "1b", "two": "2", "three": "3"}}]
    assert aos.evaluate("Info.two = nil") == [{"token-info": {"two": "0"}}]
    assert aos.evaluate("return 1") == []


STOPPED = {"statepatch": {"stopped": {"cache": {"balances": "more than 20000 entries"}}}}


def test_a_key_that_grows_too_large_is_left_alone_and_says_why(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.evaluate("for i = 1, 20000 do Balances['k' .. i] = '1' end Info = { name = 'T' }") == [
        {"token-info": {"name": "T"}, **STOPPED}
    ]
    assert "cache/balances is not followed: more than 20000 entries" in aos.said
    assert aos.evaluate("Balances.more = '1' Info.name = 'U'") == [{"token-info": {"name": "U"}}]
    assert aos.message("EnableStatePatch") == [{"token-info": {"name": "U"}, **STOPPED}]
    assert "not followed: cache/balances (more than 20000 entries)" in aos.said

    aos.evaluate("Balances = { alice = '1' } StatePatch.sent['cache/balances'] = nil return 1")
    assert aos.message("EnableStatePatch") == [
        {
            "cache": {"balances": {"alice": "1"}},
            "token-info": {"name": "U"},
            "statepatch": {"stopped": {"cache": {"balances": "__ao-unset__"}}},
        }
    ]
    assert aos.evaluate("Balances.alice = '2'") == [{"cache": {"balances": {"alice": "2"}}}]


@pytest.mark.parametrize(
    "fill",
    [
        "for i = 1, 20001 do Balances[i] = { 'x' } end",
        "for i = 1, 20001 do Balances['k' .. i] = 'x' end",
        "for i = 1, 300 do Balances['k' .. i] = {} for j = 1, 70 do Balances['k' .. i]['j' .. j] = 'x' end end",
    ],
)
def test_entries_of_lists_and_of_inner_tables_count_too(aos: Aos, fill: str) -> None:
    aos.evaluate(f"Balances = {{}} {fill}")
    assert aos.evaluate(HANDLER) == [STOPPED]


def test_exactly_twenty_thousand_entries_are_followed(aos: Aos) -> None:
    aos.evaluate("Balances = {} for i = 1, 20000 do Balances['k' .. i] = 'x' end")
    assert len(aos.evaluate(HANDLER)[0]["cache"]["balances"]) == 20000
    assert aos.evaluate("Balances.k1, Balances.k2 = nil, 'y'") == [
        {"cache": {"balances": {"k1": "__ao-unset__", "k2": "y"}}}
    ]


def test_turning_off_stops_all_work_and_the_action_turns_it_on_again(aos: Aos) -> None:
    assert aos.evaluate(render_off()) == []
    assert aos.said == "StatePatch: it was never on here"
    aos.evaluate(HANDLER)
    assert aos.message("Eval", render_off(), STRANGER) == []
    assert aos.message("Transfer") == [{"cache": {"balances": {"bob": "6"}}}], "a stranger turned nothing off"
    assert aos.evaluate(render_off()) == []
    assert aos.said == "StatePatch: off; what was published stays as it was"
    assert aos.evaluate("Balances.alice, Balances.carol = nil, '1'") == []
    assert aos.message("EnableStatePatch", sender=STRANGER) == []
    assert aos.message("EnableStatePatch") == [{"cache": {"balances": {"alice": "0", "bob": "6", "carol": "1"}}}]


def test_after_a_refused_send_everything_goes_out_again(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    aos.evaluate("Kept = ao.send ao.send = function() error('refused') end Balances.bob = '8'")
    assert aos.evaluate("ao.send = Kept return 1") == [{"cache": {"balances": {"alice": "100", "bob": "8"}}}]


def test_something_else_that_wraps_evaluate_is_kept(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    aos.evaluate("""
      local inner = Handlers.evaluate
      Handlers.evaluate = function(...) Wrapped = (Wrapped or 0) + 1 return inner(...) end
    """)
    aos.evaluate(HANDLER)
    assert aos.message("Transfer") == [{"cache": {"balances": {"bob": "6"}}}]
    aos.evaluate("return Wrapped")
    assert aos.said == "3"


KEYS = st.sampled_from(["a", "b", "c", "7"])
VALUES = st.sampled_from(["'x'", "'1'", "2.5", "true", "print", "{ a = 'x' }", "{ a = { b = 'x' } }", "{}", "nil"])
CHANGES = st.one_of(
    st.builds("Balances[{!r}] = {}".format, KEYS, VALUES),
    st.builds("Balances[7] = {}".format, VALUES),
    st.builds(
        "if type(Balances[{0!r}]) == 'table' then Balances[{0!r}].{1} = {2} end".format, KEYS, KEYS, VALUES
    ).filter(lambda lua: ".7" not in lua),
    st.builds("Balances = {{ a = {}, d = {} }}".format, VALUES, VALUES),
    st.just("Balances = setmetatable({ a = 'x' }, { __pairs = function() error('odd') end })"),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CHANGES, min_size=1, max_size=3), max_size=12))
def test_whatever_changes_a_merge_of_all_patches_is_what_is_there(steps: list[list[str]]) -> None:
    aos, shown = Aos("Balances = { a = 'x', b = { c = '1' } }"), Table()
    for lua in (HANDLER, *(f"{' '.join(step)} return 1" for step in steps)):
        for patch in aos.evaluate(lua):
            shown = merge(shown, table(patch))
    for patch in aos.evaluate("if getmetatable(Balances) then Balances = { a = 'x' } end return 1"):
        shown = merge(shown, table(patch))
    aos.evaluate("StatePatch.sent = {} return 1")
    whole = merge(Table(), table((aos.message("EnableStatePatch") or [{}])[0]))
    assert amounts(shown) == amounts(whole)


def amounts(state: Any) -> Any:
    """Leave out what says that it is gone, and what is empty for that."""
    if not isinstance(state, dict):
        return state
    inner = {key: amounts(value) for key, value in state.items()}
    return {key: value for key, value in inner.items() if value not in ("0", {})}


@pytest.mark.parametrize("thrown", ["'odd'", "{}", "setmetatable({}, { __tostring = error })", "nil", "print"])
def test_whatever_is_thrown_and_wherever_printing_fails_the_message_goes_through(aos: Aos, thrown: str) -> None:
    aos.evaluate(HANDLER)
    aos.evaluate(f"""
      Info = setmetatable({{ a = 1 }}, {{ __pairs = function() error({thrown}, 0) end }})
      print = function() error("nothing may be printed") end
    """)
    assert aos.message("Transfer") == [{"cache": {"balances": {"bob": "6"}}}]
    assert aos.message("EnableStatePatch") == [{"cache": {"balances": {"alice": "100", "bob": "6"}}}]
    assert "Error" not in aos.result
    aos.evaluate("ao.send = function() error('refused') end Balances.bob = '9'")
    assert aos.message("Transfer") == []
    assert "Error" not in aos.result
