"""What patch messages make of a state (ao-facts, section 3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.ao.state import Table, merge, patch_of, resolve, table

NAMES = st.text("abc", min_size=1, max_size=2)
STATES = st.recursive(st.text(max_size=3) | st.integers(), lambda inner: st.dictionaries(NAMES, inner), max_leaves=8)


def test_merging_keeps_what_is_absent_replaces_what_is_there_and_wipes_by_an_empty_table() -> None:
    state = table({"cache": {"balances": {"alice": "1", "bob": "2"}, "total": 3}, "zone": {"a": {"b": "c"}}})
    merged = merge(state, table({"cache": {"balances": {"bob": "5"}, "total": {"now": "a table"}}, "zone": {"a": {}}}))
    assert merged == {
        "cache": {"balances": {"alice": "1", "bob": "5"}, "total": {"now": "a table"}},
        "zone": {"a": {}},
    }
    assert state["cache"]["balances"]["bob"] == "2", "the older state stays as it was"


def test_an_unset_entry_goes_away_at_any_depth_and_nowhere_is_no_harm() -> None:
    state = table({"cache": {"balances": {"alice": "1", "bob": "2"}}})
    patch = table({"cache": {"balances": {"bob": "__ao-unset__"}, "other": "__ao-unset__"}, "none": "__ao-unset__"})
    assert merge(state, patch) == {"cache": {"balances": {"alice": "1"}}}


@pytest.mark.parametrize(
    ("tags", "patch"),
    [
        ([("device", "patch@1.0"), ("cache", {"A": ["x", "y"]})], {"cache": {"a": {"1": "x", "2": "y"}}}),
        ([("Device", "patch@1.0"), ("cache", {})], None),
        ([("device", "other@1.0"), ("cache", {})], None),
        ([("device", "patch@1.0"), ("Reference", "1"), ("path", "x"), ("cache", [])], {"cache": {}}),
    ],
)
def test_only_a_message_for_the_patch_device_patches(tags: list[tuple[str, Any]], patch: Any) -> None:
    assert patch_of([{"name": name, "value": value} for name, value in tags]) == patch


@settings(max_examples=60, deadline=None)
@given(one=STATES, other=STATES)
def test_ids_differ_exactly_when_contents_do(one: Any, other: Any) -> None:
    one, other = Table(value=table(one)), Table(value=table(other))
    assert (one.id == other.id) == (one == other)
    assert len(one.id) == 43


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(state=st.dictionaries(NAMES, STATES), patch=st.dictionaries(NAMES, STATES))
def test_every_leaf_of_a_patch_is_there_afterwards_and_merging_twice_is_merging_once(state: Any, patch: Any) -> None:
    state, patch = table(state), table(patch)
    merged = merge(state, patch)
    assert merge(merged, patch) == merged
    for key, value in patch.items():
        if not isinstance(value, Table):
            assert resolve(merged, [key.upper()]) == value
