"""The side panel's three columns: the node's raw answer, the recipe's verdict, and Patchbell's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.ao.network import AoNetwork
from sandbox.page.looking import ask_as_the_recipe, recipe_of
from sandbox.page.seeds import Seed, plant

OWNER = "x" * 42 + "A"


@pytest.fixture
async def network() -> AsyncIterator[AoNetwork]:
    async with AoNetwork() as running:
        yield running


@pytest.fixture
async def seeds(network: AoNetwork) -> tuple[Seed, ...]:
    return plant(network, OWNER)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.lua
async def test_the_recipe_calls_none_of_the_three_patched_although_one_is(
    network: AoNetwork, seeds: tuple[Seed, ...], session: aiohttp.ClientSession
) -> None:
    node = network.nodes[0].url
    verdicts = {}
    for seed in seeds:
        raw = await ask_as_the_recipe(session, node, seed.process)
        verdicts[seed.note] = (raw["status"], recipe_of(raw)["verdict"])
    assert verdicts == {
        "handler off": (404, "not_patched"),
        "no handler": (404, "not_patched"),
        "patched, at the root": (404, "not_patched"),
    }
    async with session.get(f"{node}/{seeds[2].process}~process@1.0/compute/balances/serialize~json@1.0") as answer:
        assert (await answer.json(content_type=None))[OWNER.lower()] == "750000"  # nodes lower-case keys


@pytest.mark.lua
async def test_the_first_seed_needs_one_message_of_its_owner_and_the_second_has_no_ear_for_it(
    network: AoNetwork, seeds: tuple[Seed, ...], session: aiohttp.ClientSession
) -> None:
    for seed, status in ((seeds[0], 200), (seeds[1], 404)):
        network.send(seed.process, OWNER, {"Action": "EnableStatePatch"})
        raw = await ask_as_the_recipe(session, network.nodes[0].url, seed.process)
        assert (raw["status"], recipe_of(raw)["verdict"]) == (status, "patched" if status == 200 else "not_patched")


async def test_a_node_that_is_down_makes_the_recipe_say_not_patched(
    network: AoNetwork, session: aiohttp.ClientSession
) -> None:
    network.nodes[0].down = True
    raw = await ask_as_the_recipe(session, network.nodes[0].url, OWNER)
    assert (raw["status"], raw["failure"]) == (None, "it hung up")
    assert recipe_of(raw)["verdict"] == "not_patched"
