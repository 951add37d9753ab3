"""Which links are ours: exactly those of our origin, whatever others look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.links import MessageLink, hosts, is_bare_address, sort_links

HOME = "https://patchbell.app"


@pytest.mark.parametrize(
    "link",
    [
        "https://patchbell.app",
        "https://patchbell.app/",
        "https://patchbell.app/sign#AAAAAAAAAAAAAAAAAAAAAA",
        "https://patchbell.app:443/sign",
        "HTTPS://PatchBell.App/sign",
        "https://patchbell.app?x=1",
        "https://patchbell.app/a@evil.example/b",  # behind the first slash it is a path
    ],
)
def test_ours(link: str) -> None:
    assert sort_links(f"Look: {link}", HOME).ours == (link,)
    assert sort_links(link, None).ours == ()


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ("http://patchbell.app/sign", "patchbell.app"),
        ("https://patchbell.app.evil.example/sign", "patchbell.app.evil.example"),
        ("https://evil.example/patchbell.app/sign", "evil.example"),
        ("https://patchbell.app@evil.example/sign", "evil.example"),
        ("https://patchbell.app:443@evil.example/sign", "evil.example"),
        ("https://patchbell.app:pw@evil.example", "evil.example"),
        ("https://user@patchbell.app/sign", "patchbell.app"),
        ("https://patchbell.app:8443/sign", "patchbell.app:8443"),
        ("https://patchbell.app:99999999/", "patchbell.app:99999999"),
        ("https://patchbell.app./sign", "patchbell.app."),
        ("https://www.patchbell.app/sign", "www.patchbell.app"),
        ("https://patchbe11.app/sign", "patchbe11.app"),
        ("https://patchbell.арр/sign", "patchbell.арр"),  # Cyrillic
        ("https://pаtchbell.app/sign", "pаtchbell.app"),  # one Cyrillic letter
        ("https://ｐatchbell.app/sign", "ｐatchbell.app"),
        ("https://xn--ptchbell-4nf.app/sign", "xn--ptchbell-4nf.app"),
        ("https://patchbell%2eapp/sign", "patchbell%2eapp"),
        ("https://patchbell.app\\@evil.example/", "patchbell.app"),
        ("https:\\\\evil.example\\sign", "evil.example"),
        ("https:/evil.example/", "evil.example"),
        ("https://patchbell.app\u200b/sign", "patchbell.app\u200b"),
        ("https://patchbell.app。evil.example", "patchbell.app。evil.example"),
        ("javascript://patchbell.app/%0aalert", "patchbell.app"),
        ('https://patchbell.app"@evil.example/', "evil.example"),
        ("https://patchbell.app(@evil.example/", "evil.example"),
        ("https://patchbell.app<b>@evil.example/", "evil.example"),
        ("https://patchbell.app[x]@evil.example/", "evil.example"),
        ("ftp://patchbell.app/", "patchbell.app"),
        ("https://[::1]/sign", "[::1]"),
        ("https://127.0.0.1/sign", "127.0.0.1"),
    ],
)
def test_what_only_looks_like_ours(link: str, place: str) -> None:
    found = sort_links(f"See {link} now", HOME)
    assert found.ours == ()
    assert found.others == (link,)
    assert hosts(found.others) == [place]


def test_one_of_another_place_is_seen_beside_ours() -> None:
    found = sort_links(f"[{HOME}/sign](https://evil.example/x), or <{HOME}/p/x>.", HOME)
    assert found.ours == (f"{HOME}/sign", f"{HOME}/p/x")
    assert found.others == ("https://evil.example/x",)


def test_a_sentence_s_end_is_no_part_of_a_link() -> None:
    found = sort_links(f"({HOME}/sign#AAAAAAAAAAAAAAAAAAAAAA). **{HOME}/p/y**", HOME)
    assert found.ours == (f"{HOME}/sign#AAAAAAAAAAAAAAAAAAAAAA", f"{HOME}/p/y")
    assert found.fragments == ("AAAAAAAAAAAAAAAAAAAAAA", "")


def test_messages_of_discord_are_known() -> None:
    found = sort_links("https://discord.com/channels/@me/11/22 https://discord.com.evil.example/channels/@me/1/2", HOME)
    assert found.messages == (MessageLink(channel_id=11, message_id=22),)
    assert found.others == ("https://discord.com.evil.example/channels/@me/1/2",)


def test_an_address_without_its_beginning_is_noticed() -> None:
    assert is_bare_address("patchbell.app/sign")
    assert is_bare_address(" patchbell.app@evil.example ")
    assert not is_bare_address("amber otter. Not patched yet.")
    assert not is_bare_address(f"{HOME}/")


@given(st.text(max_size=300) | st.from_regex(r"https?:[/\\]{0,3}[a-z@:.\\/\[\]#?%-]{0,60}"))
def test_nothing_breaks_it_and_ours_begins_as_ours(text: str) -> None:
    found = sort_links(text, HOME)
    hosts(found.others)
    for link in found.ours:
        rest = link[len(HOME) :]
        assert link.lower().startswith(HOME)
        assert rest == "" or rest[0] in "/?#" or rest.startswith((":443", ":0"))
