"""State keys: what may be one, and where it is looked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.keys import RESERVED, candidate_paths, parse_key
from bot.domain.system_keys import SYSTEM_KEYS
from bot.errors import MalformedKey

segments = st.from_regex(r"[a-z0-9_-][a-z0-9._-]{0,20}", fullmatch=True).filter(lambda text: text not in RESERVED)


@given(st.lists(segments, min_size=1, max_size=4))
def test_one_to_four_segments_are_a_key(parts):
    key = "/".join(parts)
    assert parse_key(key) == parse_key(f" /{key.upper()}/ ") == key


@given(st.text(max_size=40))
def test_what_is_parsed_can_be_put_into_a_path_as_it_is(text):
    sentence = ""
    try:
        key = parse_key(text)
    except MalformedKey as error:
        key, sentence = None, str(error)
    if key is None:
        assert sentence.endswith(".")
    else:
        assert parse_key(key) == key
        assert key.isascii()
        assert not set(key) & set(" ?#%&~@:\\")
        assert not set(key.split("/")) & {"", ".", "..", *RESERVED}


NAMES = "_G ao Owner Handlers Inbox device scheduler status now compute state info test cache/status a/now/b"
SHAPES = (
    "",
    "/",
    "a//b",
    "a/b/c/d/e",
    "a?b",
    "a#b",
    "a%2fb",
    "..",
    "a/../b",
    "bal ances",
    "ba\u200blances",
    "é",
    "a" * 65,
)


@pytest.mark.parametrize("wrong", [*NAMES.split(), *SHAPES])
def test_what_breaks_a_request_or_a_process_is_refused(wrong):
    with pytest.raises(MalformedKey):
        parse_key(wrong)


@pytest.mark.parametrize(
    ("key", "paths"),
    [
        ("balances", ("cache/balances", "balances")),
        ("acl/alice", ("cache/acl/alice", "acl/alice")),
        ("cache/acl/alice", ("cache/acl/alice",)),
        ("cache", ("cache",)),
        ("cached", ("cache/cached", "cached")),
    ],
)
def test_a_key_is_looked_for_under_cache_and_at_the_root(key, paths):
    assert candidate_paths(parse_key(key)) == paths


def test_common_keys_are_not_the_systems():
    """What apps of the field expose (ao-facts.md, section 2) must be seen as exposed."""
    common = {"balances", "token-info", "totalsupply", "currentstatus", "asset", "collection", "zone", "overview"}
    assert not (common | {"moderation", "comments", "vault-configuration", "metrics", "acl", "bot"}) & SYSTEM_KEYS
