"""The judgement: what counts, what does not, and that nothing a peer sends can break it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.evidence import read_listing
from bot.domain.keys import StateKey
from bot.domain.observation import Observation, Verdict
from bot.domain.verdict import MOST_EXPOSED, Reason, judge
from tests.domain.world import PROCESS, listing, missing, render, signed, unavailable

BALANCES = (StateKey("balances"),)
BASE = f"/{PROCESS}~process@1.0"
WHOLE, CACHE = f"{BASE}/compute", f"{BASE}/compute/cache/keys/serialize~json@1.0"
ROOT, HEAD = f"{BASE}/compute/keys/serialize~json@1.0", f"{BASE}/slot/current"
PATHS = (WHOLE, CACHE, ROOT, HEAD)


def seen(path: str, answer: tuple[int, dict[str, str], bytes], operator: str = "amber", node: str = "") -> Observation:
    status, headers, body = answer
    whole = path == WHOLE or path == f"/{PROCESS}"
    return Observation(
        node=node or f"https://{operator}",
        operator=operator,
        method="HEAD" if whole else "GET",
        path=path,
        status=status,
        headers=headers,
        body=b"" if whole else body,
    )


def node(
    state: set[str] = frozenset(),
    *,
    operator: str = "amber",
    slot: int = 5,
    head: int = 5,
    tags: set[str] = frozenset(),
) -> list[Observation]:
    """Give all that one node answers for one state, in the probe's order."""
    return [seen(path, render("GET", path, frozenset(state), slot, head, frozenset(tags)), operator) for path in PATHS]


def found(observations: list[Observation], keys=BALANCES, *, tags=(), **more) -> tuple[Verdict, Reason]:
    judgement = judge(observations, keys, tags=tags, **more)
    return judgement.verdict, judgement.reason


PATCHED, MISSING = (Verdict.PATCHED, Reason.SHOWN), (Verdict.NOT_PATCHED, Reason.MISSING)


def unknown(reason: Reason) -> tuple[Verdict, Reason]:
    return Verdict.UNKNOWN, reason


@pytest.mark.parametrize("path", ["cache/balances", "balances"])
def test_a_key_counts_under_cache_and_at_the_root(path):
    judgement = judge(node({path}), BALANCES, tags=())
    assert (judgement.verdict, judgement.shown, judgement.exposed) == (Verdict.PATCHED, (("balances", path),), (path,))


def test_what_is_exposed_instead_is_told():
    judgement = judge(node({"cache/users", "metrics"}), BALANCES, tags=())
    assert (judgement.verdict, judgement.missing) == (Verdict.NOT_PATCHED, ("balances",))
    assert judgement.exposed == ("cache/users", "metrics")
    assert (judgement.at_slot, judgement.current_slot) == (5, 5)
    assert (judgement.nodes, judgement.operators) == (("https://amber",), ("amber",))


def test_every_required_key_must_be_shown():
    keys = (StateKey("balances"), StateKey("token-info"))
    assert found(node({"cache/balances", "token-info"}), keys) == PATCHED
    judgement = judge(node({"cache/balances"}), keys, tags=())
    assert (judgement.verdict, judgement.missing) == (Verdict.NOT_PATCHED, ("token-info",))


@pytest.mark.parametrize("lost", range(4))
def test_each_of_the_four_answers_is_needed_for_a_no(lost):
    assert found(node()) == MISSING
    assert found(node()[:lost] + node()[lost + 1 :])[0] == Verdict.UNKNOWN


@pytest.mark.parametrize("lost", range(4))
def test_a_failed_answer_is_no_answer(lost):
    answers = node()
    answers[lost] = replace(answers[lost], status=None, failure="timeout", headers={}, body=b"")
    assert found(answers)[0] == Verdict.UNKNOWN
    answers[lost] = replace(answers[lost], status=502, failure=None, headers={"server": "nginx"})
    assert found(answers)[0] == Verdict.UNKNOWN


def test_behind_is_unknown_but_what_is_shown_counts():
    assert found(node(slot=4)) == unknown(Reason.BEHIND)
    assert found(node({"balances"}, slot=4)) == PATCHED
    assert found(node(slot=6)) == MISSING  # a message was computed between the two requests


def test_a_slot_read_after_the_listings_proves_no_absence():
    """What was computed in between may have shown the key."""
    whole, cache, root, head = node()
    assert found([cache, root, whole, head])[0] == Verdict.UNKNOWN
    assert found([head, whole, cache, root]) == MISSING


def test_nothing_scheduled_is_unknown():
    assert found(node(slot=-1, head=-1)) == unknown(Reason.UNSCHEDULED)
    assert found(node(slot=-1, head=-1), absent_at_gateways=True) == unknown(Reason.TOO_YOUNG)


def test_a_spawn_tag_is_no_exposure():
    tagged = node(tags={"balances"})
    assert found(tagged, tags=("Balances",)) == MISSING
    assert found(tagged, (), tags=("Balances",)) == MISSING
    assert found(tagged, tags=None) == unknown(Reason.TAGS_UNKNOWN)
    definition = seen(f"/{PROCESS}", render("HEAD", f"/{PROCESS}", frozenset(), 0, 0, frozenset({"balances"})))
    assert found([definition, *tagged], tags=None) == MISSING
    assert found(node({"balances"}), tags=None) == unknown(Reason.TAGS_UNKNOWN)
    assert found(node({"cache/balances"}), tags=None) == PATCHED


def test_a_table_where_a_tag_was_is_neither_yes_nor_no():
    assert found(node({"balances"}), tags=("balances",))[0] == Verdict.UNKNOWN


def test_without_a_key_named_anything_exposed_will_do():
    assert found(node(), ()) == MISSING
    assert found(node({"cache/x"}), ()) == PATCHED
    assert found(node({"x"}), ()) == PATCHED
    assert found(node({"x"}), (), tags=("X",))[0] == Verdict.UNKNOWN  # shown as a table, and a tag is none


def test_a_key_deeper_under_cache_needs_the_listing_of_its_table():
    keys = (StateKey("cache/acl/alice"),)
    acl = f"{BASE}/compute/cache/acl/keys/serialize~json@1.0"
    whole, *_, head = node({"cache/acl"})
    assert found([whole, seen(acl, listing(["alice"])), head], keys) == PATCHED
    assert found([whole, seen(acl, listing(["bob"])), head], keys) == MISSING
    assert found([whole, seen(acl, missing()), head], keys) == MISSING
    assert found([whole, head], keys)[0] == Verdict.UNKNOWN
    assert found(node({"cache/users"}), keys) == MISSING  # there is no table `acl`


def test_now_says_what_was_computed_and_not_what_is_scheduled():
    """A node may serve it from its cache."""
    now = seen(f"{BASE}/now/at-slot", (200, signed({"ao-result": "body"}), b"5"))
    *listings, head = node()[1:]
    assert found([now, *listings])[0] == Verdict.UNKNOWN
    assert found([now, *listings, head]) == MISSING


def test_stuck_is_told_apart_from_behind():
    failed = seen(f"{BASE}/now/at-slot", (500, {"ao-types": 'status="integer"'}, b"<html>"))
    assert found([*node(slot=4), failed]) == unknown(Reason.STUCK)
    judgement = judge([*node({"balances"}, slot=4), failed], BALANCES, tags=())
    assert (judgement.verdict, judgement.stuck) == (Verdict.PATCHED, True)


@pytest.mark.parametrize(
    "answer", [unavailable(bundle=True), (500, {"details": '{necessary_message_not_found,<<"x">>}'}, b"")]
)
def test_not_known_here_is_not_found_only_where_everybody_says_so(answer):
    strangers = [seen(CACHE, answer, operator) for operator in ("amber", "birch")]
    everybody = ("https://amber", "https://birch")
    assert found(strangers) == unknown(Reason.NOT_KNOWN_HERE)
    assert found(strangers, absent_at_gateways=True) == unknown(Reason.NOT_KNOWN_HERE)
    more = {"absent_at_gateways": True, "nodes": everybody}
    assert found(strangers, **more) == (Verdict.NOT_FOUND, Reason.NOT_A_PROCESS)
    assert found(strangers[:1], **more)[0] == Verdict.UNKNOWN
    assert found([strangers[0], *node(operator="birch")], **more) == MISSING


def test_what_a_cache_kept_says_nothing():
    old = [replace(answer, headers={**answer.headers, "age": "86400"}) for answer in node()]
    assert found(old)[0] == Verdict.UNKNOWN
    fresh = [replace(answer, headers={**answer.headers, "age": "3"}) for answer in node()]
    assert found(fresh) == MISSING


class TestSeveralNodes:
    def test_those_that_agree_are_named(self):
        judgement = judge(node(operator="amber") + node(operator="birch"), BALANCES, tags=())
        assert judgement.operators == ("amber", "birch")

    def test_one_against_one_is_unknown(self):
        both = node(operator="amber") + node({"balances"}, operator="birch")
        assert found(both) == unknown(Reason.DISAGREE)

    def test_two_against_one_are_believed_and_the_third_is_not_named(self):
        all_three = [*node(operator="amber"), *node({"balances"}, operator="birch"), *node(operator="cedar")]
        judgement = judge(all_three, BALANCES, tags=())
        assert (judgement.verdict, judgement.operators) == (Verdict.NOT_PATCHED, ("amber", "cedar"))

    def test_an_operator_that_contradicts_itself_has_no_voice(self):
        second = [replace(answer, node="https://amber2") for answer in node({"balances"}, operator="amber")]
        assert found(node(operator="amber") + second) == unknown(Reason.DISAGREE)
        judgement = judge(node(operator="amber") + second + node(operator="birch"), BALANCES, tags=())
        assert judgement.verdict == Verdict.NOT_PATCHED

    def test_many_nodes_of_one_operator_are_one_voice(self):
        crowd = [replace(one, node=f"https://amber{n}") for n in range(5) for one in node({"balances"})]
        assert found(crowd + node(operator="birch")) == unknown(Reason.DISAGREE)

    def test_one_that_cannot_say_changes_nothing(self):
        assert found(node(operator="amber") + node(operator="birch", slot=2)) == MISSING

    def test_the_most_telling_reason_is_given(self):
        assert found([*node(slot=2), seen(CACHE, unavailable(bundle=True), "birch")]) == unknown(Reason.BEHIND)


def test_no_observations_are_no_answer():
    assert found([]) == unknown(Reason.NO_ANSWER)


def test_what_is_told_is_bounded():
    judgement = judge(node({f"cache/key-{number}" for number in range(5000)}), (), tags=())
    assert len(judgement.exposed) == MOST_EXPOSED


# Anything may come from a peer.

names = st.sampled_from(
    """ao-types ao-result signature-input unavailable at-slot cache+link balances balances+link type details age
    codec-device content-type status device""".split()
)
values = st.sampled_from(
    ['body="atom"', "body", "5", "-1", "0", "Process", "json@1.0", 'sig=("balances" "at-slot" "type")', "x", "", "\x00"]
) | st.text(max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
documents = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=10), inner))
bodies = (
    st.binary(max_size=60)
    | documents.map(lambda document: json.dumps(document).encode())
    | st.sampled_from(
        [b"5", b"5\n", b"-1", b"1e3", b"not_found", b'{"1":"balances","device":"json@1.0"}', b"[" * 10_000]
    )
    | st.sampled_from(
        [b'{"1":' + b"9" * 6000 + b"}", b'{"1":"a","1":"b"}', b'["balances"]', b'{"1":NaN}', b"\xff\xfe[]"]
    )
    | st.text(max_size=20).map(lambda text: text.encode("utf-16"))
)
paths = st.sampled_from(
    [*PATHS, f"/{PROCESS}", f"{BASE}/compute/at-slot", f"{BASE}/now/at-slot", f"{BASE}/now"]
) | st.text(max_size=80)
observations = st.builds(
    Observation,
    node=st.sampled_from(["https://amber", "https://birch"]),
    operator=st.sampled_from(["amber", "birch"]),
    method=st.sampled_from(["GET", "HEAD"]),
    path=paths,
    status=st.none() | st.integers(-1, 1100) | st.sampled_from([200, 404, 500]),
    headers=st.dictionaries(names | st.text(max_size=10), values, max_size=6),
    body=bodies,
    failure=st.none() | st.sampled_from(["timeout", "computing", "reset", "x"]),
)


@given(st.lists(observations, max_size=8), st.sampled_from([(), BALANCES]), st.none() | st.lists(st.text(max_size=8)))
@example([seen(CACHE, (200, {"ao-types": ""}, b"[" * 100_000))], (), None)
def test_anything_is_judged_and_a_verdict_has_its_proof(answers, keys, tags):
    judgement = judge(answers, keys, tags=tags, absent_at_gateways=True, nodes=("https://amber",))
    if judgement.verdict == Verdict.PATCHED:
        assert any(one.status == 200 and one.failure is None for one in answers)
        assert judgement.exposed or judgement.shown
    if judgement.verdict == Verdict.NOT_PATCHED:
        asked = {one.path for one in answers if one.status in (200, 404) and one.failure is None}
        assert {CACHE, ROOT} <= asked
    if judgement.verdict == Verdict.NOT_FOUND:
        assert any("unavailable" in one.headers or b"necessary_message" in one.body for one in answers)


@given(st.sampled_from(PATHS), bodies, st.dictionaries(names, values, max_size=6), st.integers(100, 999))
def test_one_answer_that_is_exchanged_never_turns_no_into_yes(path, body, headers, status):
    """Only a listing that names the key, or a header that shows it, may; then it is one."""
    answers = [
        replace(answer, body=body, headers=headers, status=status) if answer.path == path else answer
        for answer in node()
    ]
    if found(answers)[0] == Verdict.PATCHED:
        changed = next(answer for answer in answers if answer.path == path)
        assert status == 200
        assert "balances" in (read_listing(changed) or ()) or "balances" in json.dumps(list(headers.items()))


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"1":"balances","2":"Num","device":"json@1.0"}', {"balances", "num"}),
        (b'["balances","x"]', {"balances", "x"}),
        (b'{"device":"json@1.0"}', set()),
        (b'{"1":"balances","1":"x","device":"json@1.0"}', None),
        (b'{"1":["balances"],"device":"json@1.0"}', None),
        (b'{"balances":"1","device":"json@1.0"}', None),
        (b'{"1":"x","device":"balances"}', None),
        (b'{"1":"balances","2":', None),
        (b"null", None),
        (b"7", None),
        (b"<html>", None),
    ],
)
def test_a_listing_is_read_whole_or_not_at_all(body, names):
    found = read_listing(seen(CACHE, (200, {"ao-types": 'status="integer"'}, body)))
    assert found == (None if names is None else frozenset(names))
