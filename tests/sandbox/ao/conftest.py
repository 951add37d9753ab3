"""A sandbox network, and a plain HTTP client to speak to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.ao import AoNetwork
from sandbox.ao.ans104 import address_of_key, make_item, make_key


class Wallet:
    """A wallet that signs what it is asked to."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.key = key
        self.address = address_of_key(key)

    def message(self, process: str, action: str, data: str = " ", **tags: str) -> bytes:
        named = {"Data-Protocol": "ao", "Variant": "ao.TN.1", "Type": "Message", "Action": action} | tags
        return make_item(self.key, target=process, tags=list(named.items()), data=data.encode())


@pytest.fixture(scope="session")
def wallet() -> Wallet:
    return Wallet(make_key())


@pytest.fixture
async def network() -> AsyncIterator[AoNetwork]:
    async with AoNetwork() as network:
        yield network


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


@pytest.fixture
def ask(http: aiohttp.ClientSession) -> Any:
    """Ask for JSON or text: `await ask("GET", url)` gives (status, body, headers)."""

    async def ask(method: str, url: str, **options: Any) -> tuple[int, Any, Any]:
        async with http.request(method, url, **options) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text()), answer.headers

    return ask
