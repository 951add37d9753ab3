from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.limits import RateLimit, client_address

PROXY = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # no proxy of ours wrote that
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # what stands before it, the client made up
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, <script>"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::1", ["2001:db8::5"], "2001:db8::5"),
        (None, ["198.51.100.1"], None),
    ],
)
def test_only_trusted_proxies_say_who_asks(peer: str | None, forwarded: list[str], expected: str | None) -> None:
    assert client_address(peer, forwarded, PROXY) == (ip_address(expected) if expected else None)


@given(st.lists(st.text(max_size=60), max_size=8))
def test_nobody_hides_behind_a_header_that_no_proxy_wrote(forwarded: list[str]) -> None:
    assert client_address("203.0.113.9", forwarded, PROXY) == ip_address("203.0.113.9")


class _Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_steady_rate_each_address_by_itself() -> None:
    time = _Time()
    limit = RateLimit(burst=3, per_second=0.5, monotonic=time)
    one, other = ip_address("198.51.100.1"), ip_address("198.51.100.2")
    assert [limit.wait(one) for _ in range(4)] == [0, 0, 0, 2]
    assert limit.wait(other) == 0
    time.now = 2
    assert limit.wait(one) == 0
    assert limit.wait(one) == 2


def test_one_ipv6_network_is_one_address() -> None:
    limit = RateLimit(burst=1, per_second=1, monotonic=_Time())
    assert limit.wait(ip_address("2001:db8::1")) == 0
    assert limit.wait(ip_address("2001:db8::ffff")) > 0
    assert limit.wait(ip_address("2001:db8:0:1::1")) == 0


def test_memory_is_bounded_and_the_oldest_is_forgotten() -> None:
    limit = RateLimit(burst=1, per_second=0.001, remembered=2, monotonic=_Time())
    first, second, third = (ip_address(f"198.51.100.{last}") for last in (1, 2, 3))
    assert [limit.wait(address) for address in (first, second, third)] == [0, 0, 0]
    assert limit.wait(third) > 0
    assert limit.wait(first) == 0
