from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.safe_words import FIRST, SECOND, new_safe_word
from bot.domain.ticket import LIFETIME, SHORTEST, expiry, half_hide, hash_ticket, new_ticket

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def test_tickets_differ_and_their_hashes_tell_nothing_of_them():
    tickets = {new_ticket() for _ in range(1000)}
    hashes = {hash_ticket(ticket) for ticket in tickets}
    assert len(tickets) == len(hashes) == 1000
    assert all(len(ticket) == 22 for ticket in tickets)
    assert all(hashed and len(hashed) == 64 for hashed in hashes)


@pytest.mark.parametrize(
    "raw", ["", "a" * 21, "a" * 23, "a" * 10_000, "a" * 21 + "#", "ä" * 22, "a" * 21 + "\n", " " * 22]
)
def test_what_cannot_be_a_ticket_is_not_looked_up(raw: str):
    assert hash_ticket(raw) is None


def test_a_ticket_ends_with_the_last_of_its_migrations_if_that_is_sooner():
    soon, late = NOW + timedelta(days=5), NOW + timedelta(days=90)
    assert expiry(NOW, [soon]) == soon
    assert expiry(NOW, [soon, soon + timedelta(days=1)]) == soon + timedelta(days=1)
    assert expiry(NOW, [soon, None]) == NOW + LIFETIME
    assert expiry(NOW, [late]) == NOW + LIFETIME
    assert expiry(NOW, []) == NOW + LIFETIME


def test_the_link_of_the_last_day_works_on_the_next_and_after_it():
    assert expiry(NOW, [NOW + timedelta(hours=1)]) == NOW + SHORTEST
    assert expiry(NOW, [NOW - timedelta(days=3)]) == NOW + LIFETIME


@pytest.mark.parametrize(
    ("name", "shown"), [("marianne", "mar•••"), ("Bo", "B•••"), ("X", "•••"), ("", ""), ("  ", ""), ("a  b c", "a •••")]
)
def test_a_name_is_half_hidden(name: str, shown: str):
    assert half_hide(name) == shown


@given(st.text(max_size=100))
def test_no_name_is_shown_whole(name: str):
    visible = half_hide(name).removesuffix("•••")
    assert len(visible) <= max(0, len(name) // 2)


def test_safe_words_are_two_plain_words_that_nobody_mixes_up():
    assert all(word.isascii() and word.islower() and word.isalpha() for word in FIRST + SECOND)
    assert len({*FIRST, *SECOND}) == len(FIRST) + len(SECOND)
    assert len(FIRST) * len(SECOND) >= 5000
    first, second = new_safe_word().split()
    assert first in FIRST
    assert second in SECOND


def test_safe_words_differ():
    assert len({new_safe_word() for _ in range(200)}) > 150
