"""Nothing that a stranger wrote reaches people as anything but code."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.messages.text import clean, code, codes, named, plain

HOSTILE = st.text(max_size=400) | st.text(
    alphabet="`*_~|<>@#:/[]()\\\u202e\u200b\u2066\u034f\u0300 \n\tab", max_size=120
)
PROCESS = "0syT1JlMtv5R7X7Gt7NQAxKIhT7iCc5YXZKmZ0dLSrc"


@given(HOSTILE, st.integers(1, 100))
def test_code_cannot_be_broken_out_of(text: str, limit: int) -> None:
    shown = code(text, limit)
    inside = shown[1:-1]
    assert shown.count("`") == 2
    assert shown[0] == shown[-1] == "`"
    assert 0 < len(inside) <= max(limit, len("(nothing)"))
    assert "\n" not in inside
    assert inside == inside.strip()


@given(HOSTILE, st.integers(1, 100))
def test_nothing_invisible_is_left(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert not [c for c in cleaned if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]
    assert clean(cleaned, limit) == cleaned


@given(st.lists(HOSTILE, max_size=12))
def test_lists_are_bounded_and_only_code(texts: list[str]) -> None:
    shown = codes(texts, limit=20, at_most=3)
    assert shown.count("`") == 2 * min(3, len(texts))
    assert len(shown) <= 3 * 22 + 20


@given(HOSTILE, HOSTILE)
def test_a_process_is_always_known_by_its_short_id(label: str, name: str) -> None:
    shown = named(PROCESS, label, name)
    assert shown.endswith("`0syT…LSrc`")
    assert shown.count("`") in (2, 4)
    assert len(plain(PROCESS, label, name)) <= 60


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("My vault", "`My vault`"),
        ("  two\n lines ", "`two lines`"),
        ("`` @everyone", "`'' @everyone`"),
        ("evil\u202egnp.exe", "`evilgnp.exe`"),
        ("z\u0300\u0301\u0302\u0303\u0304algo", "`z\u0300\u0301algo`"),
        ("\u200b\u3164\u2800", "`(nothing)`"),
        ("\u1fef", "`'`"),
        ("x" * 100, "`" + "x" * 59 + "…`"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert code(text) == shown


def test_labels_come_before_ids() -> None:
    assert named(PROCESS, "My vault", "Vault") == "`My vault` · `0syT…LSrc`"
    assert named(PROCESS, None, "Vault") == "`Vault` · `0syT…LSrc`"
    assert plain(PROCESS) == "0syT…LSrc"
