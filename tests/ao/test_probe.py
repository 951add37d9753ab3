"""The plan of requests: exactly what is asked, of nodes that are as ao-facts.md describes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.ao.memory import MEMORY, MOST_LOOKS, MOST_NAMES, Memory
from bot.ao.probe import Now, probe
from bot.domain.keys import StateKey
from bot.domain.observation import Observation, Verdict
from bot.domain.verdict import Reason, judge
from tests.domain.world import PROCESS, ModelNode, Mood, World

KEYS = (StateKey("balances"),)
WHOLE = "HEAD compute"
CACHE = "GET compute/cache/keys/serialize~json@1.0"
ROOT = "GET compute/keys/serialize~json@1.0"
SLOT, NEWEST, EVALUATE, DEFINITION = "GET compute/at-slot", "GET slot/current", "GET now/at-slot", "HEAD "


class Desk:
    """One node, and looks at it that remember each other."""

    def __init__(self, *states: set[str], tags: frozenset[str] = frozenset(), mood: Mood = Mood.WELL) -> None:
        self.world = World(tags=tags)
        for state in states:
            self.world.schedule(add=state)
        self.node = ModelNode("https://amber", "amber", self.world, mood=mood)
        self.memory = Memory()
        self.seen: list[Observation] = []

    async def look(self, keys=KEYS, *, may_compute=True, tags=(), now=Now.NEVER) -> Verdict:
        self.node.asked.clear()
        memory = self.memory.of(self.node.url)
        self.seen = await probe(self.node.ask, PROCESS, (keys,), memory, may_compute=may_compute, tags=tags, now=now)
        self.memory = MEMORY.validate_json(MEMORY.dump_json(self.memory.with_look(self.seen)))
        return judge(self.seen, keys, tags=tags).verdict

    @property
    def asked(self) -> list[str]:
        base = f"/{PROCESS}"
        return [line.replace(f"{base}~process@1.0/", "").replace(base, "") for line in self.node.asked]

    def reason(self, keys=KEYS) -> Reason:
        return judge(self.seen, keys, tags=()).reason


async def test_patched_under_cache_takes_two_and_then_one_until_its_content_changes():
    desk = Desk({"cache/balances"})
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [WHOLE, CACHE])
    desk.world.schedule()
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [WHOLE])
    desk.world.schedule(add={"cache/users"})
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [WHOLE, CACHE])


async def test_patched_at_the_root_takes_one():
    desk = Desk({"balances"})
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [WHOLE])
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [WHOLE])


async def test_not_patched_takes_four_and_then_one_until_a_message_comes():
    desk = Desk({"cache/users"})
    assert (await desk.look(), desk.asked) == (Verdict.NOT_PATCHED, [WHOLE, CACHE, NEWEST, ROOT])
    assert (await desk.look(), desk.asked) == (Verdict.NOT_PATCHED, [NEWEST])
    assert judge(desk.seen, KEYS, tags=()).exposed == ("cache/users",)
    desk.world.schedule()
    assert (await desk.look(), desk.asked) == (Verdict.NOT_PATCHED, [NEWEST, WHOLE, ROOT])
    desk.world.schedule(add={"cache/balances"})
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [NEWEST, WHOLE, CACHE])


async def test_a_regression_is_seen():
    desk = Desk({"cache/balances"})
    await desk.look()
    desk.world.schedule(drop={"cache/balances"})
    assert (await desk.look(), desk.asked) == (Verdict.NOT_PATCHED, [WHOLE, NEWEST, CACHE, ROOT])


async def test_two_contents_at_one_slot_are_a_contradiction_and_all_is_asked_anew():
    desk = Desk({"cache/balances"})
    assert await desk.look() == Verdict.PATCHED
    desk.world.states[-1] = frozenset()  # the same slot, another content: no honest node says both
    assert (await desk.look(), desk.asked) == (Verdict.NOT_PATCHED, [WHOLE, NEWEST, CACHE, ROOT])


async def test_a_node_that_was_wrong_once_is_not_believed_for_ever():
    desk = Desk(set())
    await desk.look()
    for _ in range(MOST_LOOKS):
        await desk.look()
        assert desk.asked == [NEWEST]
    await desk.look()
    assert desk.asked == [WHOLE, NEWEST, CACHE, ROOT]


async def test_tags_are_read_from_the_definition_only_where_they_decide_and_once():
    desk = Desk({"balances"})
    assert (await desk.look(tags=None), desk.asked) == (Verdict.PATCHED, [WHOLE, DEFINITION])
    assert (await desk.look(tags=None), desk.asked) == (Verdict.PATCHED, [WHOLE])
    desk = Desk({"cache/balances"})
    assert (await desk.look(tags=None), desk.asked) == (Verdict.PATCHED, [WHOLE, CACHE])
    desk = Desk(set())
    assert (await desk.look(tags=None), desk.asked) == (Verdict.NOT_PATCHED, [WHOLE, NEWEST, CACHE, ROOT])


async def test_a_key_in_a_deeper_table_needs_the_listing_of_that_table():
    desk = Desk({"cache/acl/alice"})
    deep = "GET compute/cache/acl/keys/serialize~json@1.0"
    assert (await desk.look((StateKey("cache/acl/alice"),)), desk.asked) == (Verdict.PATCHED, [WHOLE, deep])
    assert (await desk.look((StateKey("cache/acl/bob"),)), desk.asked) == (Verdict.NOT_PATCHED, [NEWEST])
    desk = Desk({"cache/acl/alice"})
    assert (await desk.look((StateKey("cache/acl/bob"),)), desk.asked) == (Verdict.NOT_PATCHED, [WHOLE, deep, NEWEST])
    assert (await desk.look((StateKey("acl/alice"),)), desk.asked) == (Verdict.PATCHED, [WHOLE])


async def test_behind_stays_so_until_now_may_be_spent():
    desk = Desk(set(), {"balances"}, mood=Mood.LAGGING)
    desk.node.computed = 0
    assert (await desk.look(), desk.reason()) == (Verdict.UNKNOWN, Reason.BEHIND)
    assert desk.asked == [WHOLE, NEWEST, CACHE, ROOT]
    assert (await desk.look(), desk.asked) == (Verdict.UNKNOWN, [NEWEST, WHOLE])
    assert (await desk.look(now=Now.IF_BEHIND), desk.asked) == (Verdict.PATCHED, [NEWEST, WHOLE, EVALUATE, CACHE, ROOT])


async def test_a_first_look_at_one_that_is_behind_takes_the_four_and_a_now():
    desk = Desk(set(), set(), mood=Mood.LAGGING)
    desk.node.computed = 0
    assert (await desk.look(now=Now.IF_BEHIND), desk.asked) == (
        Verdict.NOT_PATCHED,
        [WHOLE, NEWEST, EVALUATE, CACHE, ROOT],
    )


async def test_a_now_that_a_node_serves_from_its_cache_proves_no_absence():
    desk = Desk(set(), {"cache/balances"}, mood=Mood.CACHED)
    desk.node.computed = 0
    assert (await desk.look(now=Now.FIRST), desk.reason()) == (Verdict.UNKNOWN, Reason.BEHIND)
    assert (await desk.look(now=Now.IF_BEHIND), desk.reason()) == (Verdict.UNKNOWN, Reason.BEHIND)
    desk.node.mood = Mood.WELL
    assert await desk.look() == Verdict.PATCHED


async def test_what_was_listed_before_a_now_is_not_taken_for_what_came_of_it():
    """The state machine found this: the old listing, remembered beside the new slot, hid the new key."""
    desk = Desk({"cache/users"}, {"cache/balances"}, mood=Mood.LAGGING)
    desk.node.computed = 0
    await desk.look()
    desk.node.mood = Mood.ROUTED  # after `now`, the listing fails
    assert await desk.look(now=Now.IF_BEHIND) == Verdict.UNKNOWN
    desk.node.mood = Mood.WELL
    assert await desk.look() == Verdict.PATCHED


async def test_after_a_signature_now_comes_first():
    desk = Desk(set(), mood=Mood.LAGGING)
    await desk.look()
    desk.world.schedule(add={"balances"})
    assert (await desk.look(now=Now.FIRST), desk.asked) == (Verdict.PATCHED, [EVALUATE, WHOLE])
    desk = Desk(set(), mood=Mood.LAGGING)
    assert (await desk.look(now=Now.FIRST), desk.asked) == (Verdict.NOT_PATCHED, [EVALUATE, WHOLE, NEWEST, CACHE, ROOT])


async def test_a_stuck_process_is_said_to_be_so():
    desk = Desk(set())
    await desk.look()
    desk.world.schedule(add={"balances"})
    desk.world.broken = desk.world.head
    assert (await desk.look(now=Now.IF_BEHIND), desk.reason()) == (Verdict.UNKNOWN, Reason.STUCK)
    assert desk.asked.count(EVALUATE) == 1


async def test_a_cold_node_is_asked_for_nothing_that_evaluates_unless_that_may_be_spent():
    desk = Desk({"balances"})
    assert (await desk.look(may_compute=False), desk.asked) == (Verdict.UNKNOWN, [])
    desk = Desk(set())
    await desk.look()
    assert (await desk.look(may_compute=False), desk.asked) == (Verdict.NOT_PATCHED, [NEWEST])
    desk.world.schedule()
    assert (await desk.look(may_compute=False), desk.asked) == (Verdict.UNKNOWN, [NEWEST])


async def test_a_node_that_computes_for_too_long_is_left_to_it():
    desk = Desk({"balances"}, mood=Mood.COLD_SLOW)
    assert (await desk.look(), desk.asked, desk.reason()) == (Verdict.UNKNOWN, [WHOLE], Reason.COMPUTING)
    assert not desk.memory.of(desk.node.url).warm


async def test_nothing_scheduled_takes_two_and_then_one():
    desk = Desk()
    assert (await desk.look(), desk.asked, desk.reason()) == (Verdict.UNKNOWN, [WHOLE, NEWEST], Reason.UNSCHEDULED)
    assert (await desk.look(), desk.asked, desk.reason()) == (Verdict.UNKNOWN, [NEWEST], Reason.UNSCHEDULED)


@pytest.mark.parametrize(
    ("mood", "asked"),
    [
        (Mood.DOWN, [WHOLE]),
        (Mood.BUSY, [WHOLE]),
        (Mood.LOST, [WHOLE, CACHE]),
        (Mood.SCHEDULES, [WHOLE, SLOT]),
    ],
)
async def test_a_node_that_cannot_say_is_not_bothered_on(mood, asked):
    desk = Desk(set(), mood=mood)
    assert (await desk.look(), desk.asked) == (Verdict.UNKNOWN, asked)


async def test_where_the_whole_cannot_be_had_the_slot_is_asked_for():
    desk = Desk(set(), mood=Mood.PROXY)
    assert (await desk.look(), desk.asked) == (Verdict.NOT_PATCHED, [WHOLE, SLOT, CACHE, NEWEST, ROOT])
    assert (await desk.look(), desk.asked) == (Verdict.NOT_PATCHED, [NEWEST])
    desk.world.schedule()
    desk.node.computed = desk.world.head
    assert (await desk.look(), desk.asked) == (Verdict.NOT_PATCHED, [NEWEST, SLOT, CACHE, ROOT])
    desk = Desk({"cache/balances"}, mood=Mood.PROXY)
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [WHOLE, SLOT, CACHE])
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [SLOT])
    desk = Desk({"balances"}, mood=Mood.PROXY)
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [WHOLE, SLOT, CACHE, NEWEST, ROOT])
    desk.world.schedule()
    desk.node.computed = desk.world.head
    assert (await desk.look(), desk.asked) == (Verdict.PATCHED, [SLOT, ROOT])


async def test_all_sets_of_keys_are_judged_in_one_look():
    desk = Desk({"cache/balances"})
    sets = (KEYS, (StateKey("token-info"),), ())
    seen = await probe(desk.node.ask, PROCESS, sets, desk.memory.of("x"), may_compute=True, tags=())
    assert len(desk.asked) == 4
    assert [judge(seen, keys, tags=()).verdict for keys in sets] == ["patched", "not_patched", "patched"]


async def test_what_is_remembered_is_small():
    desk = Desk({f"cache/key-{number}" for number in range(100)})
    await desk.look()
    assert len(MEMORY.dump_json(desk.memory)) < 6000
    desk = Desk({f"key-{number}" for number in range(2 * MOST_NAMES)})
    await desk.look()
    assert desk.memory.of(desk.node.url).kept == ()


async def test_a_node_that_does_not_answer_keeps_what_is_remembered_of_it():
    desk = Desk(set())
    await desk.look()
    before = desk.memory
    desk.node.mood = Mood.DOWN
    assert await desk.look() == Verdict.UNKNOWN
    assert desk.memory.of(desk.node.url).kept == before.of(desk.node.url).kept
    desk.node.mood = Mood.WELL
    assert (await desk.look(), desk.asked) == (Verdict.NOT_PATCHED, [NEWEST])


def test_memory_of_another_node_is_kept():
    memory = Memory().with_look([])
    one = Observation(node="a", operator="a", method="HEAD", path=f"/{PROCESS}~process@1.0/compute", failure="timeout")
    memory = memory.with_look([one]).with_look([replace(one, node="b")])
    assert [known.node for known in memory.nodes] == ["a", "b"]
