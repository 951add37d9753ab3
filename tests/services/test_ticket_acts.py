"""What a link may do beside signing, and that none of it is for good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.card import Blocked, Role
from bot.domain.process_id import ProcessId
from bot.errors import BadInput, NotYours, TicketEnded
from bot.services.registering import RegisterRequest
from bot.services.ticket_acts import TicketActs
from bot.store.tickets import SignedMessage
from sandbox.ao.ans104 import random_id

ALICE = 101


@pytest.fixture
def acts(app):
    return TicketActs(app.database, app.ticketing, app.agenda, app.clock)


@pytest.fixture
def ticket_for(app):
    """Register a process for Alice, and give the raw value of her link."""

    async def register(process: str) -> str:
        outcome = await app.registering.register(RegisterRequest(user_id=ALICE, text=process, role=Role.MINE))
        return outcome.cards[-1].sign_url.partition("#")[2]

    return register


async def test_who_cannot_is_not_reminded_and_what_a_person_said_stands(app, world, acts, ticket_for):
    process = world.unpatched()
    ticket = await ticket_for(process)
    await acts.cannot(ticket, [process], Blocked.LOST_WALLET)
    (card,) = await app.registering.cards(ALICE)
    assert (card.blocked, card.next_reminder) == (Blocked.LOST_WALLET, None)
    await acts.cannot(ticket, [process], None)  # the network takes it: that is no word on a lost wallet
    (card,) = await app.registering.cards(ALICE)
    assert card.blocked == Blocked.LOST_WALLET


async def test_a_refusal_of_the_network_is_taken_back(app, world, acts, ticket_for):
    process = world.unpatched()
    ticket = await ticket_for(process)
    for reason, expected in ((Blocked.REFUSED, Blocked.REFUSED), (None, None)):
        await acts.cannot(ticket, [process], reason)
        (card,) = await app.registering.cards(ALICE)
        assert card.blocked == expected


async def test_a_link_acts_on_its_own_processes_and_for_an_evening_only(app, world, acts, ticket_for):
    process = world.unpatched()
    ticket = await ticket_for(process)
    with pytest.raises(NotYours):
        await acts.cannot(ticket, [process, ProcessId(random_id())], Blocked.OTHER)
    (card,) = await app.registering.cards(ALICE)
    assert card.blocked is None  # all or nothing
    for wrong in (timedelta(0), timedelta(hours=37)):
        with pytest.raises(BadInput):
            await acts.put_off(ticket, app.clock() + wrong)
    with pytest.raises(TicketEnded):
        await acts.put_off("A" * 22, app.clock() + timedelta(hours=3))
    assert await acts.put_off(ticket, app.clock() + timedelta(hours=30)) is not None


async def test_what_was_signed_is_kept_with_the_ticket_until_the_network_refuses_it(app, world, ticket_for):
    process = world.unpatched()
    ticket = await ticket_for(process)
    first, second = (SignedMessage(process=process, message=random_id(), installs=each) for each in (True, False))
    for message in (first, second):
        await app.ticketing.keep_signed(ticket, [message])
        (shown,) = (await app.ticketing.open(ticket)).processes
        assert shown.signed == message
    await app.ticketing.forget_signed(ticket, [process])
    (shown,) = (await app.ticketing.open(ticket)).processes
    assert shown.signed is None
    other = SignedMessage(process=ProcessId(random_id()), message=random_id(), installs=False)
    with pytest.raises(NotYours):
        await app.ticketing.keep_signed(ticket, [other])
