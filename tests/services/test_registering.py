"""Registering, showing and ending: the real reader against an AO network over sockets."""

from datetime import timedelta

import pytest

from bot.domain.card import NoSignLink, Role
from bot.domain.notices import FirstDm
from bot.domain.observation import Verdict
from bot.errors import (
    BadInput,
    MalformedAddress,
    MalformedKey,
    MalformedProcessId,
    NothingToRegister,
    NotYours,
    TicketEnded,
    TooManyRegistrations,
)
from bot.services.registering import RegisterRequest
from bot.store import outbox, people, processes, registrations

ALICE, BOB = 101, 102


def request(text: str, user_id: int = ALICE, role: Role = Role.MINE, **values) -> RegisterRequest:
    return RegisterRequest(user_id=user_id, text=text, role=role, **values)


async def test_from_ids_in_any_form_to_cards_and_the_first_dm(app, world, sender):
    patched, unpatched = world.patched(), world.unpatched("My vault")
    text = f"here: <https://node.example/{patched}~process@1.0/compute>, '{unpatched}'\nand {'x' * 42}"
    seen: list[tuple[int, int]] = []

    async def progress(done: int, of: int) -> None:
        seen.append((done, of))

    outcome = await app.registering.register(request(text, display_name="Marianne", guild_name="Permaville"), progress)
    cards = {card.process: card for card in outcome.cards}
    assert {process: card.status for process, card in cards.items()} == {
        patched: Verdict.PATCHED,
        unpatched: Verdict.NOT_PATCHED,
    }
    assert cards[patched].no_sign_link is NoSignLink.PATCHED
    assert cards[unpatched].sign_url.startswith("https://patchbell.test/sign#")
    assert cards[unpatched].metadata.name == "My vault"
    assert cards[unpatched].evidence
    assert cards[unpatched].next_check > app.clock()
    assert timedelta(days=7) <= cards[unpatched].next_reminder - app.clock() <= timedelta(days=8)
    assert cards[patched].next_reminder is None
    assert outcome.malformed == ("x" * 42,)
    assert outcome.already == ()
    assert seen == [(1, 2), (2, 2)]

    assert await app.delivering.deliver_due() == 1
    (envelope,) = sender.envelopes
    assert (envelope.delivery_id, envelope.user_id) == (outcome.first_dm, ALICE)
    notice = envelope.notice
    assert isinstance(notice, FirstDm)
    assert (notice.safe_word, notice.community, len(notice.processes)) == (outcome.safe_word, "Permaville", 2)
    contents = await app.ticketing.open(notice.ticket)
    assert [each.process for each in contents.processes] == [unpatched]
    assert contents.display_name_hint == "Mar•••"
    template = contents.processes[0].template
    assert template.action == "EnableStatePatch"
    assert "Handlers" in template.lua


async def test_registering_again_checks_anew_and_says_so(app, world):
    process = world.unpatched()
    first = await app.registering.register(request(process))
    await app.delivering.deliver_due()
    world.patch(process)
    world.let_nodes_compute(process)
    again = await app.registering.register(request(process, label="  vault \n two "))
    assert again.already == (process,)
    assert again.safe_word == first.safe_word
    assert again.first_dm is None
    (card,) = again.cards
    assert (card.status, card.label) == (Verdict.PATCHED, "vault two")


async def test_nobody_learns_that_somebody_else_follows_the_process(app, world, clock):
    process = world.unpatched()
    await app.registering.register(request(process, BOB))
    clock.move(days=20)
    outcome = await app.registering.register(request(process))
    (card,) = outcome.cards
    assert outcome.already == ()
    assert card.since == clock()
    assert card.checked_at == clock()
    assert card.requests > 1, "what was remembered for somebody else was not used"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", NothingToRegister),
        ("hello there", NothingToRegister),
        ("x" * 42, MalformedProcessId),
        ("x" * 44, MalformedProcessId),
    ],
)
async def test_what_holds_no_id_is_refused_in_one_sentence(app, text, error):
    with pytest.raises(error, match=r"^[A-Z].*\.$"):
        await app.registering.register(request(text))
    assert await app.registering.person(ALICE) is None


@pytest.mark.parametrize("key", ["_G", "status", "a/b/c/d/e", "what?", "x#y", ""])
async def test_a_malformed_key_stores_nothing(app, world, key):
    with pytest.raises(MalformedKey):
        await app.registering.register(request(world.unpatched(), keys=(key,)))
    assert await app.registering.person(ALICE) is None


async def test_over_the_limit_nothing_is_stored_and_the_count_is_said(app, world):
    app.registering._limits = app.settings.registrations.model_copy(update={"max_per_person": 2})
    await app.registering.register(request(world.unpatched()))
    with pytest.raises(TooManyRegistrations, match=r"would make 3 processes; one person can follow 2"):
        await app.registering.register(request(f"{world.unpatched()} {world.unpatched()}"))
    assert len(await app.registering.cards(ALICE)) == 1


async def test_keys_change_what_is_checked_never_what_is_signed(app, world):
    process = world.patched()
    (card,) = (await app.registering.register(request(process, keys=("somethingelse",)))).cards
    assert (card.status, card.keys) == (Verdict.NOT_PATCHED, ("somethingelse",))
    contents = await app.ticketing.open(card.sign_url.split("#")[1])
    assert "balances" in contents.processes[0].template.keys
    assert "somethingelse" not in contents.processes[0].template.lua


async def test_an_id_that_nobody_knows_is_no_error(app, world):
    (card,) = (await app.registering.register(request(world.nowhere()))).cards
    assert card.status is Verdict.UNKNOWN
    assert card.next_reminder is None


async def test_watchers_get_no_dm_and_no_link(app, world, sender):
    outcome = await app.registering.register(request(world.unpatched(), role=Role.WATCHING))
    assert outcome.first_dm is None
    assert outcome.cards[0].no_sign_link is NoSignLink.WATCHING
    assert outcome.cards[0].next_reminder is None
    assert await app.delivering.deliver_due() == 0


async def test_unregistering_ends_the_place_on_links_and_forgets_the_process(app, world):
    first, second = world.unpatched(), world.unpatched()
    outcome = await app.registering.register(request(f"{first} {second}"))
    raw = outcome.cards[0].sign_url.split("#")[1]
    card = await app.registering.unregister(ALICE, first)
    assert (card.process, card.status) == (first, Verdict.NOT_PATCHED)
    assert [each.process for each in (await app.ticketing.open(raw)).processes] == [second]
    await app.registering.unregister(ALICE, second)
    with pytest.raises(TicketEnded, match="/status"):
        await app.ticketing.open(raw)
    assert await app.registering.cards(ALICE) == []
    async with app.database.read() as connection:
        assert await processes.find(connection, first) is None
        person = await people.find(connection, ALICE)
    assert person.next_reminder_at is None


async def test_only_ones_own_is_ended_shown_or_suggested(app, world):
    process = world.unpatched("Secret vault")
    await app.registering.register(request(process))
    with pytest.raises(NotYours):
        await app.registering.unregister(BOB, process)
    assert await app.registering.cards(BOB) == []
    assert await app.registering.suggest(BOB, "secret") == []
    ((shown, suggested),) = await app.registering.suggest(ALICE, "SECRET")
    assert (suggested, shown.startswith("Secret vault · ")) == (process, True)
    assert await app.registering.suggest(ALICE, process[:8]) == [(shown, process)]


@pytest.mark.parametrize("raw", ["", "x", "a" * 22, "a" * 21 + "/", "a" * 5000])
async def test_altered_and_cut_tickets_say_what_to_do(app, raw):
    with pytest.raises(TicketEnded, match="Type /status"):
        await app.ticketing.open(raw)


async def test_a_ticket_ends_after_thirty_days_and_at_stop(app, world, clock):
    process = world.unpatched()
    await app.registering.register(request(process))
    raw = (await app.registering.cards(ALICE))[0].sign_url.split("#")[1]
    clock.move(days=29)
    assert await app.ticketing.open(raw)
    clock.move(days=1)
    with pytest.raises(TicketEnded):
        await app.ticketing.open(raw)
    raw = (await app.registering.cards(ALICE))[0].sign_url.split("#")[1]
    await app.wishing.stop(ALICE)
    with pytest.raises(TicketEnded):
        await app.ticketing.open(raw)


async def test_without_a_public_address_no_link_is_made(app, world):
    app.ticketing._origin = None
    (card,) = (await app.registering.register(request(world.unpatched()))).cards
    assert (card.sign_url, card.no_sign_link) == (None, NoSignLink.NO_PUBLIC_URL)


async def test_closed_dms_can_be_tried_again_by_the_persons_own_act(app, world, sender, clock):
    from bot.errors import RecipientUnreachable

    sender.faults = [RecipientUnreachable("Closed.", code=50007)]
    outcome = await app.registering.register(request(world.unpatched()))
    await app.delivering.deliver_due()
    assert (await app.delivering.outcome(outcome.first_dm, 0)).code == 50007
    assert (await app.registering.cards(ALICE))[0].next_reminder is None
    again = await app.registering.try_again(ALICE)
    await app.delivering.deliver_due()
    assert (await app.delivering.outcome(again, 0)).state == "sent"
    assert (await app.registering.cards(ALICE))[0].next_reminder is not None


async def test_a_wallets_processes_are_listed_so_often_a_day(app, world, clock):
    process = world.unpatched("Mine")
    app.registering._limits = app.settings.registrations.model_copy(update={"wallet_lookups_per_day": 1})
    (found,) = await app.registering.owned_by(ALICE, world.owner)
    assert (found.process, found.name) == (process, "Mine")
    with pytest.raises(BadInput, match="today"):
        await app.registering.owned_by(ALICE, world.owner)
    with pytest.raises(MalformedAddress):
        await app.registering.owned_by(BOB, "0x123")
    clock.move(days=1)
    assert len(await app.registering.owned_by(ALICE, world.owner)) == 1
    async with app.database.read() as connection:
        assert await registrations.of_person(connection, ALICE) == []
        assert await outbox.of_person(connection, ALICE) == []
