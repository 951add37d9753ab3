"""Ids, and ids found in whatever a person pastes."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.process_id import parse_process_id, read_process_ids, shorten
from bot.errors import MalformedProcessId

PID = "0syT13r0s0tgPmIed95bJnuSqaD29HQNN8D3ElLSrsc"
OTHER = "mlcO-cm12-83azzPWHXKOzVAq3dFBWAYBsqXvQSKaI4"

ids = st.binary(min_size=32, max_size=32).map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="))
# All that may stand around an id: none of it can be part of one.
separators = st.text(st.sampled_from(" \t\r\n,;|'\"`()[]{}<>«»“”·…/\\?#&=%@!*+~.:^$。、"), min_size=1, max_size=5)


@given(ids)
def test_every_32_bytes_are_an_id(pid):
    assert parse_process_id(f" {pid}\n") == pid
    assert shorten(pid) == f"{pid[:4]}…{pid[-4:]}"


@given(st.text(max_size=60))
def test_what_is_parsed_stands_for_32_bytes(text):
    try:
        pid = parse_process_id(text)
    except MalformedProcessId as error:
        pid = None
        assert_one_sentence(str(error))
    if pid is not None:
        assert len(base64.urlsafe_b64decode(f"{pid}=")) == 32


def assert_one_sentence(text):
    assert text.startswith("That is not a process id: ")
    assert text.endswith(".")


@pytest.mark.parametrize(
    "wrong", [PID[:-1], f"{PID}A", f"{PID[:-1]}d", f"{PID[:20]} {PID[20:]}", PID.replace("s", "ѕ"), ""]
)
def test_what_is_nearly_an_id_is_refused(wrong):
    with pytest.raises(MalformedProcessId):
        parse_process_id(wrong)


@given(st.lists(st.tuples(ids, separators), max_size=30), separators)
def test_ids_are_found_between_any_separators_in_their_order_and_once(pasted, before):
    text = before + "".join(pid + separator for pid, separator in pasted)
    found = read_process_ids(text)
    assert found.valid == tuple(dict.fromkeys(pid for pid, _ in pasted))
    assert found.malformed == ()


@pytest.mark.parametrize(
    "text",
    [
        f"https://push-1.forward.computer/{PID}~process@1.0/compute/cache/balances",
        f"https://www.ao.link/#/entity/{PID}?tab=source",
        f"ao://{PID}",
        f"‘{PID}’, «{PID}»; [{PID}]({PID})",
        f'{{"process": "{PID}"}}',
        f"{PID}?a#b",
        f"\ufeff\n{PID}\r\n",
    ],
)
def test_ids_are_found_in_urls_quotes_and_brackets(text):
    assert read_process_ids(text).valid == (PID,)


@pytest.mark.parametrize(
    "attempt",
    [
        PID[:-1],
        f"{PID}A",
        f"{PID[:-1]}d",  # no 32 bytes end like this
        PID + OTHER,
        PID.replace("s", "ѕ"),  # Cyrillic
        "".join(chr(ord(character) + 0xFEE0) for character in PID),  # full width
        f"{PID[:10]}\u200b{PID[10:]}",
        f"{PID}\u202e",
        f"é{PID}",
    ],
)
def test_an_attempted_id_is_reported_and_never_taken(attempt):
    found = read_process_ids(f"{OTHER}, {attempt}")
    assert found.valid == (OTHER,)
    assert len(found.malformed) == 1
    assert len(found.malformed[0]) <= 60
    assert not set(found.malformed[0]) & {"\u200b", "\u202e"}


def test_words_are_passed_over():
    assert read_process_ids("please check my process, it is called 'vault' — thanks! это мой процесс").malformed == ()
    assert read_process_ids("一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十").malformed == ()


@given(st.text())
def test_anything_may_be_pasted(text):
    found = read_process_ids(text)
    assert all(parse_process_id(pid) == pid for pid in found.valid)
    assert all(len(run) <= 60 for run in found.malformed)


def test_ten_thousand_ids_and_a_megabyte_of_nonsense_take_no_time():
    many = [base64.urlsafe_b64encode(number.to_bytes(32)).decode().rstrip("=") for number in range(10_000)]
    started = time.perf_counter()
    assert len(read_process_ids("\n".join(many * 2)).valid) == 10_000
    assert len(read_process_ids("A" * 1_000_000).malformed) == 1
    assert len(read_process_ids("\u200b" * 1_000_000).malformed) == 0
    assert time.perf_counter() - started < 2
