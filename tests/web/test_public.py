"""The verdict for apps, and word from a page without a ticket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from tests.web.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

BALANCES = [{"cache": {"balances": {"ada": "100"}}}]


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def _get(http: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, Any], Any]:
    async with http.get(url, headers={"Origin": "https://app.example"}) as answer:
        return answer.status, await answer.json(), answer.headers


async def test_any_app_may_ask_and_the_answer_is_kept(house: House, http: aiohttp.ClientSession) -> None:
    process = house.network.spawn(house.ada.address, patches=BALANCES, tags={"Name": "Harbour"})
    status, said, headers = await _get(http, f"{house.url}/api/p/{process}")
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert headers["Cache-Control"] == "public, max-age=30"
    assert (said["verdict"], said["exposes"], said["owner"], said["name"]) == (
        "patched",
        ["cache/balances"],
        house.ada.address,
        "Harbour",
    )
    assert said["sign"] == f"{house.url}/p/{process}"
    asked = sum(node.requests.total() for node in house.network.nodes)
    again = await asyncio.gather(*(_get(http, f"{house.url}/api/p/{process}") for _ in range(5)))
    assert [answer[1]["verdict"] for answer in again] == ["patched"] * 5
    assert sum(node.requests.total() for node in house.network.nodes) == asked
    assert not house.everything_stored()["processes"]  # nobody is remembered for having asked


async def test_an_app_names_the_keys_that_it_needs(house: House, http: aiohttp.ClientSession) -> None:
    process = house.network.spawn(house.ada.address, patches=BALANCES)
    _, said, _ = await _get(http, f"{house.url}/api/p/{process}?key=balances&key=ticker")
    assert (said["verdict"], said["missing"]) == ("not_patched", ["ticker"])
    status, said, _ = await _get(http, f"{house.url}/api/p/{process}?key=_G")
    assert status == 400
    status, said, _ = await _get(http, f"{house.url}/api/p/short")
    assert (status, "exactly 43" in said["error"]) == (400, True)


async def test_whoever_asks_too_often_waits_and_may_read_why(house: House, http: aiohttp.ClientSession) -> None:
    process = house.network.spawn(house.ada.address, patches=BALANCES)
    answers = [await _get(http, f"{house.url}/api/p/{process}") for _ in range(40)]
    status, said, headers = answers[-1]
    assert status == 429
    assert said["error"].startswith("That was often.")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert int(headers["Retry-After"]) >= 1


async def test_strangers_cannot_have_the_nodes_asked_without_end(
    house: House, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.showing.AT_ONCE", 0)
    process = house.network.spawn(house.ada.address, patches=BALANCES)
    status, said, headers = await _get(http, f"{house.url}/api/p/{process}")
    assert (status, headers["Retry-After"], headers["Access-Control-Allow-Origin"]) == (503, "60", "*")
    assert "Ask again in a minute" in said["error"]


async def test_one_address_takes_few_places_for_what_it_says_was_signed(
    house: House, http: aiohttp.ClientSession
) -> None:
    process = house.spawn(handler=True)
    statuses: list[int] = []
    for number in range(9):
        message = {"message": f"{number}{process[1:]}"}
        headers = {"Origin": house.url}
        async with http.post(f"{house.url}/api/p/{process}/signed", json=message, headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses[:4] == [200] * 4
    assert 429 in statuses


async def test_only_our_own_page_says_that_it_was_signed(house: House, http: aiohttp.ClientSession) -> None:
    process = house.spawn(handler=True)
    async with http.post(
        f"{house.url}/api/p/{process}/signed",
        json={"message": process},
        headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    ) as answer:
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
