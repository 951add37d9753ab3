"""Data items: what a wallet makes is read back, anything else is refused, and an independent library agrees."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.ao.ans104 import BadItem, address_of_key, encode64, jwk_of, make_item, make_key, read_item

NODE_TESTS = Path(__file__).parents[2] / "node"
TARGET = encode64(bytes(range(32)))
TAGS = [("Data-Protocol", "ao"), ("Type", "Message"), ("Größe", "✓ 12 GB")]
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return make_key()


@pytest.fixture(scope="module")
def item(key: rsa.RSAPrivateKey) -> bytes:
    return make_item(key, target=TARGET, tags=TAGS, data=b"return 1", anchor=b"a" * 32)


KEY = make_key()


@settings(max_examples=40, deadline=None)
@given(tags=st.lists(st.tuples(WORDS, WORDS), max_size=20), data=st.binary(max_size=300), anchored=st.booleans())
def test_what_is_signed_is_read_back(tags: list[tuple[str, str]], data: bytes, anchored: bool) -> None:
    anchor = b"n" * 32 if anchored else b""
    read = read_item(make_item(KEY, target=TARGET, tags=tags, data=data, anchor=anchor))
    assert (read.owner, read.target, list(read.tags), read.data, read.anchor) == (
        address_of_key(KEY),
        TARGET,
        tags,
        data,
        anchor,
    )


def test_an_item_with_any_byte_altered_is_refused(item: bytes) -> None:
    for at in (*range(0, len(item), 37), *range(1026, len(item))):
        altered = bytearray(item)
        altered[at] ^= 0x20
        with pytest.raises(BadItem):
            read_item(bytes(altered))


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=2000))
def test_any_bytes_are_refused_and_nothing_else_happens(raw: bytes) -> None:
    with pytest.raises(BadItem):
        read_item(b"\1\0" + raw)


def test_every_cut_item_is_refused(item: bytes) -> None:
    for length in range(0, len(item), 13):
        with pytest.raises(BadItem):
            read_item(item[:length])


@pytest.mark.node
def test_an_independent_library_agrees(
    node: str, npm_ci: Callable[[Path], Path], key: rsa.RSAPrivateKey, item: bytes
) -> None:
    asked = {
        "jwk": jwk_of(key),
        "target": TARGET,
        "tags": [{"name": name, "value": value} for name, value in TAGS],
        "data": "return 1",
        "anchor": "a" * 32,
        "theirs": base64.b64encode(item).decode(),
    }
    script = [node, str(NODE_TESTS / "items.mjs"), str(npm_ci(NODE_TESTS))]
    ran = subprocess.run(script, input=json.dumps(asked), capture_output=True, text=True, check=True)
    answer = json.loads(ran.stdout)
    assert answer["verified"] is True
    theirs = read_item(base64.b64decode(answer["made"]))
    assert (theirs.id, theirs.owner) == (answer["id"], address_of_key(key))
    assert (theirs.target, list(theirs.tags), theirs.data, theirs.anchor) == (TARGET, TAGS, b"return 1", b"a" * 32)
