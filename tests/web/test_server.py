"""The server over plain HTTP: what it lets in, what it says, and what it keeps to itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio

from bot.domain.ways import AOS_MODULES

if TYPE_CHECKING:
    from tests.web.conftest import House, OpenHouse

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHER = "0syT13r0s0tgPmIed95bJnuSqaD29HQNN8D3ElLSrsc"


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def _message(process: str) -> dict[str, str]:
    return {"process": process, "message": OTHER}


class Api:
    """The page's own way of asking, with anything about it changed."""

    def __init__(self, http: aiohttp.ClientSession, house: House) -> None:
        self._http = http
        self._house = house

    async def __call__(
        self, what: str, body: object, *, headers: dict[str, str | None] | None = None, raw: bytes | None = None
    ) -> tuple[int, dict[str, Any], aiohttp.ClientResponse]:
        given = {"Origin": self._house.url, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        sent = {name: value for name, value in (given | (headers or {})).items() if value is not None}
        data = json.dumps(body).encode() if raw is None else raw
        async with self._http.post(f"{self._house.url}/api/{what}", data=data, headers=sent) as answer:
            return answer.status, await answer.json(), answer


@pytest.fixture
def api(http: aiohttp.ClientSession, house: House) -> Api:
    return Api(http, house)


async def test_a_ticket_opens_as_it_was_made(house: House, api: Api) -> None:
    process = house.spawn(handler=False, name="Vault")
    link = await house.register(process, label="My vault")
    status, contents, answer = await api("ticket", {"ticket": link.partition("#")[2]})
    assert status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert contents["name"] == "mar•••"
    assert contents["network"] == {"mu": house.network.mu_url, "cu": house.network.cu_url}
    assert (contents["all"], contents["open"]) == (1, 1)
    (template,) = contents["templates"]
    assert template["lua"].startswith("-- Patchbell state patch")
    assert template["sha256"] == hashlib.sha256(template["lua"].encode()).hexdigest()
    assert process not in json.dumps(contents)  # which it is, is told to its owner's wallet


async def test_code_is_handed_out_only_for_an_aos_that_it_was_tried_on(
    house: House, api: Api, http: aiohttp.ClientSession
) -> None:
    for module, tried in ((next(iter(AOS_MODULES)), True), ("M" * 42 + "A", False)):
        process = house.network.spawn(house.ada.address, "", {"Module": module})
        ticket = (await house.register(process)).partition("#")[2]
        _, listed, _ = await api("processes", {"ticket": ticket, "address": house.ada.address})
        _, contents, _ = await api("ticket", {"ticket": ticket})
        (shown,) = [each for each in listed["processes"] if each["process"] == process]
        assert bool(contents["templates"][shown["template"]]["lua"]) is tried
        async with http.get(f"{house.url}/api/p/{process}/page") as answer:
            assert bool((await answer.json())["templates"][0]["lua"]) is tried


@pytest.mark.slow
async def test_an_address_is_told_what_it_owns_and_how_much_it_does_not(house: House, api: Api) -> None:
    mine, other = house.spawn(handler=False, name="Vault"), house.spawn(handler=False, owner=house.ben.address)
    await house.register(mine, label="My vault")
    ticket = (await house.register(other, label="Secret")).partition("#")[2]
    _, listed, _ = await api("processes", {"ticket": ticket, "address": house.ada.address})
    assert [(each["process"], each["label"], each["name"], each["owner"]) for each in listed["processes"]] == [
        (mine, "My vault", "Vault", house.ada.address)
    ]
    assert (listed["others"], listed["nobodys"]) == (1, 0)
    for address in (OTHER, None, ""):
        _, listed, _ = await api("processes", {"ticket": ticket, "address": address})
        assert (listed["processes"], listed["others"]) == ([], 2)
    _, listed, _ = await api("processes", {"ticket": ticket, "address": OTHER, "others": True})
    assert {each["process"] for each in listed["processes"]} == {mine, other}
    assert {each["label"] for each in listed["processes"]} == {None}


@pytest.mark.parametrize("ticket", ["", "A" * 22, "../../etc", "A" * 128, "é" * 22])
async def test_no_other_ticket_opens_anything(house: House, api: Api, ticket: str) -> None:
    processes, messages = {"processes": [OTHER]}, {"messages": [{"process": OTHER, "message": OTHER}]}
    for what, more in {
        "ticket": {},
        "qr": {},
        "processes": {"address": OTHER},
        "status": processes,
        "unsigned": processes,
        "cannot": processes | {"reason": "other"},
        "signing": messages,
        "signed": messages,
        "tonight": {"until": house.clock().timestamp() + 3600},
    }.items():
        status, said, _ = await api(what, {"ticket": ticket, **more})
        assert (status, said["error"]) == (410, "This link has ended. Type /status in Discord for a new one.")


async def test_a_ticket_is_for_its_own_processes(house: House, api: Api) -> None:
    link = await house.register(house.spawn(handler=False))
    ticket = link.partition("#")[2]
    for what in ("signed", "signing", "status", "cannot"):
        for process, expected in ((OTHER, 403), ("short", 400)):
            body = {"processes": [process]} if what in ("status", "cannot") else {"messages": [_message(process)]}
            status, said, _ = await api(
                what, {"ticket": ticket, **body, **({"reason": "other"} if what == "cannot" else {})}
            )
            assert status == expected
            assert ("not for that process" if expected == 403 else "exactly 43") in said["error"]


async def test_the_code_is_a_picture_of_the_link(house: House, api: Api) -> None:
    link = await house.register(house.spawn(handler=False))
    status, said, _ = await api("qr", {"ticket": link.partition("#")[2]})
    assert status == 200
    assert said["svg"].startswith("<svg")
    assert "script" not in said["svg"]


@pytest.mark.parametrize(
    ("headers", "raw", "expected"),
    [
        ({"Content-Type": "text/plain"}, None, 415),
        ({"Content-Type": None}, None, 415),
        ({"Content-Encoding": "gzip"}, b"\x1f\x8b", 415),
        ({}, b"{" * 100, 400),
        ({}, b"[" * 2000, 400),
        ({}, b"\xff\xfe", 400),
        ({}, b"null", 400),
        ({}, b'{"ticket": 1}', 400),
        ({}, b'{"ticket": "a", "more": 1}', 400),
        ({}, b'{"ticket": "' + b"a" * 1000 + b'"}', 400),
        ({}, b'{"ticket": "' + b"a" * 40_000 + b'"}', 413),
        ({"Origin": "https://evil.example"}, None, 403),
        ({"Origin": None}, None, 403),
        ({"Origin": "null"}, None, 403),
        ({"Sec-Fetch-Site": "cross-site"}, None, 403),
        ({"Sec-Fetch-Site": "same-site"}, None, 403),
    ],
)
async def test_what_is_not_the_page_is_refused_in_one_sentence(
    api: Api, headers: dict[str, str | None], raw: bytes | None, expected: int
) -> None:
    status, said, answer = await api("ticket", {"ticket": "A" * 22}, headers=headers, raw=raw)
    assert status == expected
    assert set(said) == {"error"}
    assert said["error"].endswith(".") or said["error"].endswith("/sign.")
    assert "Content-Security-Policy" in answer.headers


async def test_a_page_elsewhere_cannot_ask(http: aiohttp.ClientSession, house: House) -> None:
    async with http.options(f"{house.url}/api/ticket", headers={"Origin": "https://evil.example"}) as answer:
        assert answer.status == 403
        assert not any(name.lower().startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("path", ["/sign", "/static/ao.js", "/static/sign.js", "/static/view.js", "/static/sign.css"])
async def test_every_file_carries_the_policy(http: aiohttp.ClientSession, house: House, path: str) -> None:
    async with http.get(house.url + path) as answer:
        assert answer.status == 200
        text = await answer.text()
        headers = answer.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    for host in house.network.allowed_hosts:
        assert host in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert " style=" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    "path", ["/", "/sign/", "/static/", "/static/../api.py", "/static/%2e%2e/api.py", "/metrics/x"]
)
async def test_nothing_else_is_there(http: aiohttp.ClientSession, house: House, path: str) -> None:
    async with http.get(house.url + path) as answer:
        assert answer.status == 404
        assert "/status in Discord" in (await answer.json())["error"]


async def test_an_address_that_asks_too_often_waits(api: Api) -> None:
    answers = [await api("ticket", {"ticket": "A" * 22}) for _ in range(200)]
    statuses = [status for status, _, _ in answers]
    assert statuses[:60] == [410] * 60
    _, said, answer = answers[statuses.index(429)]
    assert said["error"] == "That was often. Wait a moment, then try again."
    assert answer.headers["Retry-After"] == "1"


async def test_forwarded_addresses_count_only_from_trusted_proxies(
    http: aiohttp.ClientSession, house: House, open_house: OpenHouse
) -> None:
    async def statuses(where: House) -> set[int]:
        api = Api(http, where)
        asked = [await api("qr", {}, headers={"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(200)]
        return {status for status, _, _ in asked}

    assert await statuses(house) == {400}  # by loopback comes a proxy on this machine, as shipped
    behind = await open_house(web={"trusted_proxies": ("172.17.0.0/16",)})
    assert 429 in await statuses(behind)


async def test_the_public_address_is_compared_as_browsers_write_it(
    http: aiohttp.ClientSession, open_house: OpenHouse
) -> None:
    house = await open_house(web={"public_url": "https://Patchbell.Example.org:443"})
    for origin, expected in (("https://patchbell.example.org", 410), ("http://patchbell.example.org", 403)):
        status, _, answer = await Api(http, house)("ticket", {"ticket": "A" * 22}, headers={"Origin": origin})
        assert status == expected
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_health_is_honest(http: aiohttp.ClientSession, house: House) -> None:
    async with http.get(f"{house.url}/healthz") as answer:
        report = await answer.json()
        assert answer.status == 503  # in this house no loop was started
    assert report["ok"] is False
    parts = {part["name"]: part for part in report["parts"]}
    assert parts["sweep"]["ok"] is False
    assert parts["database"]["ok"] is True
    app = house.app
    for part in (app.checking, app.hinting, app.reminding, app.delivering, app.tidying, app.retaining):
        part.pulse.beat()
    async with http.get(f"{house.url}/healthz") as answer:
        assert (answer.status, (await answer.json())["ok"]) == (200, True)
    house.skip_days(1)
    async with http.get(f"{house.url}/healthz") as answer:
        assert answer.status == 503
        assert "has not moved for 86400 s" in await answer.text()


async def test_metrics_count_without_ids_and_only_for_us(http: aiohttp.ClientSession, house: House, api: Api) -> None:
    process = house.spawn(handler=False)
    ticket = (await house.register(process)).partition("#")[2]
    await api("ticket", {"ticket": ticket})
    await http.get(f"{house.url}/made-up/{process}")
    async with http.get(f"{house.url}/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    assert 'patchbell_web_requests_total{route="/api/ticket",status="200"}' in text
    for secret in (ticket, process, "made-up", house.ada.address, "127.0.0.1"):
        assert secret not in text
    async with http.get(f"{house.url}/metrics", headers={"X-Forwarded-For": "198.51.100.1"}) as answer:
        assert answer.status == 404
