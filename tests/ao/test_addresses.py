from __future__ import annotations

import pytest

from bot.ao.addresses import is_public, is_visibly_own, trusted_origins


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "0.0.0.0", "169.254.169.254", "100.64.0.1"),
        *("100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2001::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::", "::ffff:168.63.129.16"),
    ],
)
def test_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("10.0.0.1", True), ("::1", True), ("hyperbeam", True)),
        *(("node.local", True), ("a.home.arpa", True), ("ao.internal.", True)),
        *(("push-1.forward.computer", False), ("8.8.8.8", False), ("localhost.example.org", False)),
    ],
)
def test_what_only_the_operator_can_mean(host, own):
    assert is_visibly_own(host) == own


def test_trust_is_given_to_own_hosts_and_to_named_ones_by_port():
    urls = ("http://localhost:8734", "https://node.example.org", "http://10.0.0.7/graphql")
    assert trusted_origins(urls) == {("localhost", 8734), ("10.0.0.7", 80)}
    named = trusted_origins(urls, named=["https://node.example.org"])
    assert ("node.example.org", 443) in named
